// Devices of a spec: how they are written, what is bound, and what the cgroup's program answers.
#include "runtime/plan/devices.h"

#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <string>
#include <vector>

#include "tests/unit/hosts.h"
#include "tests/unit/plans.h"
#include "tests/unit/services.h"

namespace jaula::test {
namespace {

using plan::DevicePlan;
using plan::DeviceRule;

// The few instructions that the program is made of, as the kernel carries them out: 32 bits, jumps
// forward alone. What is none of them is -1. Documentation/bpf/standardization/instruction-set.rst
int evaluate(const std::vector<bpf_insn>& program, const bpf_cgroup_dev_ctx& context) {
  std::uint32_t registers[11] = {};
  const std::uint32_t fields[] = {context.access_type, context.major, context.minor};
  for (std::size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& i = program[at];
    const auto value = static_cast<std::uint32_t>(i.imm);
    std::uint32_t& destination = registers[i.dst_reg];
    switch (i.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        if (i.src_reg != BPF_REG_1) return -1;
        destination = fields[i.off / 4];
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        destination = registers[i.src_reg];
        break;
      case BPF_ALU | BPF_MOV | BPF_K:
        destination = value;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        destination &= value;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        destination >>= value;
        break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        if (i.off < 0) return -1;
        if (destination != value) at += static_cast<std::size_t>(i.off);
        break;
      case BPF_JMP | BPF_EXIT:
        return static_cast<int>(registers[BPF_REG_0]);
      default:
        return -1;
    }
  }
  return -1;
}

// "r", "rw", … of a character device: allowed or not.
bool allows(const std::vector<DeviceRule>& rules, unsigned major, unsigned minor,
            const std::string& access, unsigned type = BPF_DEVCG_DEV_CHAR) {
  unsigned bits = 0;
  for (const char c : access)
    bits |= c == 'r' ? BPF_DEVCG_ACC_READ : c == 'w' ? BPF_DEVCG_ACC_WRITE : BPF_DEVCG_ACC_MKNOD;
  const int answer = evaluate(plan::compile_devices(rules),
                              {.access_type = bits << 16 | type, .major = major, .minor = minor});
  REQUIRE_GE(answer, 0);
  return answer == 1;
}

std::string access_of(const spec::DeviceConfig& device) {
  return std::string(device.read ? "r" : "") + (device.write ? "w" : "") + (device.make ? "m" : "");
}

DevicePlan made(const spec::JailConfig& config, const plan::HostFacts& host,
                bool user_namespace = true, bool in_cgroup = true) {
  return plan::make_device_plan(config, host, user_namespace, in_cgroup);
}

}  // namespace

TEST_CASE("devices: the short form has a source, a target and permissions, as docker's") {
  const Services services;
  struct Row {
    const char* text;
    const char* read;
  };
  for (const auto& [text, read] :
       {Row{"/dev/fuse", "/dev/fuse /dev/fuse rwm"}, Row{"/dev/fuse:r", "/dev/fuse /dev/fuse r"},
        Row{"/dev/fuse:/dev/x", "/dev/fuse /dev/x rwm"},
        Row{"//dev/./fuse:/data/x:mr", "/dev/fuse /data/x rm"}}) {
    CAPTURE(text);
    const auto devices = services.config("devices: ['" + std::string(text) + "']").extra.devices;
    REQUIRE_EQ(devices.size(), 1);
    CHECK_EQ(devices[0].source + " " + devices[0].destination + " " + access_of(devices[0]), read);
    CHECK(devices[0].origin.ends_with("services.web.devices[0]"));
  }
  const auto devices = services
                           .config(
                               "devices: [{source: /dev/a, permissions: w}, "
                               "{source: /dev/b, target: /dev/c}]")
                           .extra.devices;
  CHECK_EQ(devices[0].destination + " " + access_of(devices[0]), "/dev/a w");
  CHECK_EQ(devices[1].destination + " " + access_of(devices[1]), "/dev/c rwm");
}

TEST_CASE("devices: the program allows what one rule allows in one piece, and nothing else") {
  const std::vector<DeviceRule> rules = {
      {.major = 1, .minor = 3, .make = false},
      {.major = 1, .minor = 5, .read = true, .write = false, .make = false},
      {.block = true, .major = 1, .minor = 7},
      {.major = 136}};
  CHECK(allows(rules, 1, 3, "r"));
  CHECK(allows(rules, 1, 3, "rw"));
  CHECK_FALSE(allows(rules, 1, 3, "m"));
  CHECK(allows(rules, 1, 5, "r"));
  for (const std::string access : {"w", "rw", "m", "rm"}) CHECK_FALSE(allows(rules, 1, 5, access));
  // The same numbers of the other kind are another device.
  CHECK_FALSE(allows(rules, 1, 7, "r"));
  CHECK(allows(rules, 1, 7, "rwm", BPF_DEVCG_DEV_BLOCK));
  CHECK_FALSE(allows(rules, 1, 3, "r", BPF_DEVCG_DEV_BLOCK));
  CHECK(allows(rules, 136, 0, "rw"));
  CHECK(allows(rules, 136, 999999, "rw"));
  CHECK_FALSE(allows(rules, 137, 0, "r"));
  CHECK_FALSE(allows(rules, 8, 0, "r"));
  CHECK_FALSE(allows({}, 1, 3, "r"));
}

TEST_CASE("devices: a device is bound as what it was seen to be") {
  const Services services;
  const spec::JailConfig config = services.config("devices: ['/dev/null:/dev/x/y']");
  const DevicePlan plan = made(config, root_host());
  CHECK_EQ(services.problems(plan.problems), "");
  REQUIRE_EQ(plan.binds.size(), 1);
  const isolation::MountOp& bind = plan.binds[0];
  CHECK(bind.kind == isolation::MountOp::Kind::kBind);
  CHECK_EQ(bind.source + " " + bind.target, "/dev/null dev/x/y");
  CHECK_EQ(bind.attributes, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  CHECK_EQ(bind.device, makedev(1, 3));
  CHECK(bind.source_is_file);
  CHECK_FALSE(bind.idmapped);
}

TEST_CASE("devices: the program lists the default devices, with the spec's word on them") {
  const Services services;
  const auto rules = made(services.config("devices: ['/dev/zero:/dev/x:r', '/dev/full:/dev/y:w', "
                                          "'/dev/full:/dev/z:r']"),
                          root_host())
                         .rules;
  CHECK(allows(rules, 1, 3, "rwm"));
  CHECK(allows(rules, 1, 5, "r"));
  CHECK_FALSE(allows(rules, 1, 5, "w"));
  CHECK(allows(rules, 1, 7, "rw"));
  CHECK_FALSE(allows(rules, 1, 7, "m"));
  CHECK(allows(rules, 5, 2, "rw"));
  CHECK(allows(rules, 136, 4, "rw"));
  CHECK_FALSE(allows(rules, 5, 1, "r"));
}

TEST_CASE("devices: a jail without the key has a program only where it could make nodes") {
  const Services services;
  const std::string maker = "userns_mode: host\ncap_add: [MKNOD]";
  CHECK(made(services.config(), root_host()).rules.empty());
  CHECK(made(services.config("userns_mode: host"), root_host(), false).rules.empty());
  CHECK_FALSE(made(services.config(maker), root_host(), false).rules.empty());
  CHECK(made(services.config(maker + "\nprivileged: true"), root_host(), false).rules.empty());
  const DevicePlan plan = made(services.config(maker), root_host(), false, false);
  REQUIRE_EQ(plan.lacking.size(), 1);
  CHECK(plan.lacking[0].text().starts_with("nothing would keep the jail from the machine's"));
  CHECK(plan.rules.empty());
}

TEST_CASE("devices: where no program can be, a part of r and w is refused, and both are given") {
  const Services services;
  for (const std::string access : {"r", "w", "m", "rw", "rwm"}) {
    CAPTURE(access);
    const std::string said =
        "web.yaml:5:15: services.web.devices[0]: nothing here can hold the jail to a part of r and "
        "w\n";
    const spec::JailConfig config = services.config("devices: ['/dev/null:/dev/x:" + access + "']");
    const bool both = access.starts_with("rw");
    for (const DevicePlan& plan :
         {made(config, user_with_ranges()), made(config, root_host(), true, false)}) {
      CHECK_EQ(services.problems(plan.problems), both ? "" : said);
      CHECK(plan.rules.empty() == both);
    }
  }
}

}  // namespace jaula::test
