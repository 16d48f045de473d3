#include "runtime/plan/devices.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <string>

#include "runtime/base/mutant.h"

namespace jaula::plan {
namespace {

using isolation::MountOp;

// Those of every jail's /dev, ptmx and the terminals of its devpts.
// Documentation/admin-guide/devices.txt
constexpr std::array<DeviceRule, 8> kDefaultDevices = {{{.major = 1, .minor = 3},
                                                        {.major = 1, .minor = 5},
                                                        {.major = 1, .minor = 7},
                                                        {.major = 1, .minor = 8},
                                                        {.major = 1, .minor = 9},
                                                        {.major = 5, .minor = 0},
                                                        {.major = 5, .minor = 2},
                                                        {.major = 136}}};

// --- the program

constexpr std::uint8_t kResult = BPF_REG_0, kContext = BPF_REG_1, kAccess = BPF_REG_2,
                       kType = BPF_REG_3, kMajor = BPF_REG_4, kMinor = BPF_REG_5;

bpf_insn instruction(int code, std::uint8_t destination, std::uint8_t source, std::int16_t offset,
                     std::int32_t value) {
  bpf_insn made{};
  made.code = static_cast<std::uint8_t>(code);
  made.dst_reg = destination & 0xFU;
  made.src_reg = source & 0xFU;
  made.off = offset;
  made.imm = value;
  return made;
}

bpf_insn load(std::uint8_t destination, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, destination, kContext,
                     static_cast<std::int16_t>(offset), 0);
}
bpf_insn calculate(int operation, std::uint8_t destination, std::uint32_t value) {
  return instruction(BPF_ALU | operation | BPF_K, destination, 0, 0,
                     static_cast<std::int32_t>(value));
}
bpf_insn copy(std::uint8_t destination, std::uint8_t source) {
  return instruction(BPF_ALU | BPF_MOV | BPF_X, destination, source, 0, 0);
}
bpf_insn skip_unless_equal(std::uint8_t left, std::uint32_t value, std::size_t skipped) {
  return instruction(BPF_JMP32 | BPF_JNE | BPF_K, left, 0, static_cast<std::int16_t>(skipped),
                     static_cast<std::int32_t>(value));
}
bpf_insn leave() { return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

std::uint32_t access_of(const DeviceRule& rule) {
  std::uint32_t access = 0;
  if (rule.read) access |= BPF_DEVCG_ACC_READ;
  if (rule.write) access |= BPF_DEVCG_ACC_WRITE;
  if (rule.make) access |= BPF_DEVCG_ACC_MKNOD;
  return access;
}

// Jumps over the rest of the rule where it is about another device or allows less.
void add_rule(std::vector<bpf_insn>& program, const DeviceRule& rule) {
  std::size_t left = rule.minor ? 7 : 6;  // instructions after the first
  program.push_back(
      skip_unless_equal(kType, rule.block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, left--));
  program.push_back(skip_unless_equal(kMajor, rule.major, left--));
  if (rule.minor) program.push_back(skip_unless_equal(kMinor, *rule.minor, left--));
  program.push_back(copy(kResult, kAccess));
  program.push_back(calculate(BPF_AND, kResult, ~access_of(rule)));
  program.push_back(skip_unless_equal(kResult, 0, 2));
  program.push_back(calculate(BPF_MOV, kResult, 1));
  program.push_back(leave());
}

// --- the plan

struct Found {
  struct stat info {};
  bool is_device = false;
};

Found look_at(const spec::DeviceConfig& device, std::vector<Error>& problems) {
  Found found;
  const std::string& path = device.source;
  if (::lstat(path.c_str(), &found.info) < 0) {
    problems.push_back(Error(errno, device.origin, ": device ", path));
    return found;
  }
  const mode_t mode = found.info.st_mode;
  found.is_device = S_ISCHR(mode) || S_ISBLK(mode);
  if (found.is_device) return found;
  Error error(0, device.origin, ": ", path, " is ",
              S_ISLNK(mode)    ? "a link"
              : S_ISDIR(mode)  ? "a directory"
              : S_ISREG(mode)  ? "a file"
              : S_ISFIFO(mode) ? "a FIFO"
                               : "a socket",
              ", not a device");
  if (S_ISLNK(mode)) error.hint("name the device that `readlink -f ", path, "` prints");
  if (S_ISDIR(mode)) error.hint("name each device that is in it");
  problems.push_back(error);
  return found;
}

DeviceRule rule_of(const spec::DeviceConfig& device, const struct stat& info) {
  return {.block = S_ISBLK(info.st_mode),
          .major = major(info.st_rdev),
          .minor = minor(info.st_rdev),
          .read = device.read,
          .write = device.write,
          .make = device.make};
}

bool is_same_device(const DeviceRule& a, const DeviceRule& b) {
  return a.block == b.block && a.major == b.major && a.minor == b.minor;
}

// The spec's word on a device takes the place of the profile's; of two of its own both count, for
// the kernel knows a device by its number, whatever names it has.
std::vector<DeviceRule> with_defaults(std::vector<DeviceRule> rules) {
  for (const DeviceRule& rule : kDefaultDevices)
    if (std::none_of(rules.begin(), rules.end(),
                     [&](const DeviceRule& other) { return is_same_device(rule, other); }))
      rules.push_back(rule);
  return rules;
}

void add(std::vector<DeviceRule>& rules, const DeviceRule& rule) {
  for (DeviceRule& other : rules) {
    if (!is_same_device(rule, other)) continue;
    other.read |= rule.read;
    other.write |= rule.write;
    other.make |= rule.make;
    return;
  }
  rules.push_back(rule);
}

bool may_make_nodes(const spec::JailConfig& config, bool user_namespace) {
  if (user_namespace || config.extra.privileged || mutant("program for devices")) return false;
  const auto& bounding = config.process.capabilities.bounding;
  return std::any_of(bounding.begin(), bounding.end(), [](const std::string& name) {
    return name == "CAP_MKNOD" || name == "CAP_SYS_ADMIN";
  });
}

}  // namespace

std::vector<bpf_insn> compile_devices(std::span<const DeviceRule> rules) {
  constexpr unsigned kTypeBits = 16;
  std::vector<bpf_insn> program = {load(kAccess, offsetof(bpf_cgroup_dev_ctx, access_type)),
                                   load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
                                   load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
                                   copy(kType, kAccess),
                                   calculate(BPF_AND, kType, 0xFFFF),
                                   calculate(BPF_RSH, kAccess, kTypeBits)};
  for (const DeviceRule& rule : rules) add_rule(program, rule);
  program.push_back(calculate(BPF_MOV, kResult, 0));
  program.push_back(leave());
  return program;
}

void lower_devices(const spec::ServiceSpec& service, spec::JailConfig& config) {
  for (const spec::Device& device : service.devices)
    config.extra.devices.push_back({.source = device.source,
                                    .destination = device.target,
                                    .read = device.read,
                                    .write = device.write,
                                    .make = device.make,
                                    .origin = device.origin.text()});
}

DevicePlan make_device_plan(const spec::JailConfig& config, const HostFacts& facts,
                            bool user_namespace, bool in_cgroup) {
  DevicePlan plan;
  const bool enforced = in_cgroup && facts.attaches_programs();
  bool wanted = may_make_nodes(config, user_namespace);
  if (wanted && !enforced) {
    wanted = false;
    plan.lacking.push_back(
        Error(0,
              "nothing would keep the jail from the machine's devices: it has the capability to "
              "make nodes, no user namespace, and no program for devices can be attached")
            .hint("drop MKNOD and SYS_ADMIN, leave `userns_mode: host` out, or start where root "
                  "has a cgroup v2"));
  }
  for (const spec::DeviceConfig& device : config.extra.devices) {
    const Found found = look_at(device, plan.problems);
    if (!found.is_device) continue;
    plan.binds.push_back({.kind = MountOp::Kind::kBind,
                          .source = device.source,
                          .target = device.destination.substr(1),
                          .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                          .source_is_file = true,
                          .device = found.info.st_rdev,
                          .origin = device.origin});
    add(plan.rules, rule_of(device, found.info));
    wanted |= enforced && !config.extra.privileged;
    if (device.read && device.write) continue;
    wanted = true;
    if (!enforced)
      plan.problems.push_back(
          Error(0, device.origin, ": nothing here can hold the jail to a part of r and w")
              .hint("start as root, where a cgroup v2 can be made; or give both, if the node's own "
                    "mode will do"));
  }
  plan.rules = wanted ? with_defaults(std::move(plan.rules)) : std::vector<DeviceRule>();
  return plan;
}

}  // namespace jaula::plan
