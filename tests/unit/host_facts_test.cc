// The facts themselves, from made-up files and from this kernel.
#include "runtime/plan/host_facts.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "runtime/base/file.h"
#include "runtime/plan/kernel_facts.h"
#include "runtime/plan/machine_facts.h"

namespace jaula::test {
namespace {

using namespace plan;

class Directory {
 public:
  Directory() {
    char path[] = "/tmp/jaula-doctor-XXXXXX";
    path_ = ::mkdtemp(path);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  std::string file(const std::string& name, const std::string& text) {
    const std::filesystem::path path = path_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("subordinate ids: a user's ranges are found by name and by number") {
  constexpr std::string_view kText =
      "# comment\nann:100000:65536\n1000:300000:10\nbob:500000:65536\n10:1:1\n\nann:700000:5\n";
  const auto ranges = subordinate_ranges(kText, "ann", 1000);
  REQUIRE(ranges.size() == 3);
  CHECK(ranges[0].first == 100'000);
  CHECK(ranges[0].count == 65'536);
  CHECK(ranges[1].first == 300'000);
  CHECK(ranges[2].first == 700'000);
  CHECK(subordinate_ranges(kText, "", 1000).size() == 1);
  CHECK(subordinate_ranges(kText, "an", 1001).empty());
}

TEST_CASE("subordinate ids: a line that is no range of 32-bit ids gives none") {
  for (const char* line : {"ann", "ann:", "ann:1", "ann:1:", "ann::1", "ann:1:0", "ann:-1:5",
                           "ann:0x10:5", "ann:1:2:3", "ann:4294967295:1", "ann:4294967290:6",
                           "ann:1:4294967295", "ann:1: 5", ":1:5", " :1:5"})
    CHECK_MESSAGE(subordinate_ranges(line, "ann", 1000).empty(), line);
  CHECK(subordinate_ranges("ann:4294967290:5", "ann", 1000).size() == 1);
}

TEST_CASE("subordinate ids: a uid gets its name from the passwd file alone") {
  constexpr std::string_view kText = "root:x:0:0::/root:/bin/sh\n+::::\nann:x:1000:1000::/:\nx:x:1";
  CHECK(user_name(kText, 0) == "root");
  CHECK(user_name(kText, 1000) == "ann");
  CHECK(user_name(kText, 1) == "x");
  CHECK(user_name(kText, 7) == "");
}

TEST_CASE("host facts: ids are read for who needs the helpers, and for no one else") {
  Directory directory;
  const std::string self = std::to_string(::geteuid());
  const HostSources sources{.user_namespace = directory.file("user", ""),
                            .passwd = directory.file("passwd", "me:x:" + self + ":0::/:/bin/sh\n"),
                            .subuid = directory.file("subuid", "me:100000:65536\n"),
                            .subgid = directory.file("subgid", self + ":200000:65536\n"),
                            .helpers = {directory.path() + "/none", directory.path() + "/none"}};
  const HostFacts inside = probe_for_start(sources);
  CHECK_FALSE(inside.initial_user_namespace);
  CHECK_FALSE(inside.privileged());
  REQUIRE(inside.subuid.size() == 1);
  CHECK(inside.subuid[0].first == 100'000);
  REQUIRE(inside.subgid.size() == 1);
  CHECK(inside.subgid[0].first == 200'000);
  CHECK_FALSE(inside.id_map_helpers);

  HostSources real = sources;
  real.user_namespace = "/proc/self/ns/user";
  const HostFacts here = probe_for_start(real);
  CHECK(here.subuid.empty() == here.privileged());
  CHECK(here.euid == ::geteuid());
}

TEST_CASE("host facts: privilege is three capabilities in the initial user namespace") {
  HostFacts facts;
  facts.capabilities = (std::uint64_t{1} << (CAP_LAST_CAP + 1)) - 1;
  const HostFacts all = facts;
  CHECK(facts.privileged());
  facts.initial_user_namespace = false;
  CHECK_FALSE(facts.privileged());
  for (const int capability : {CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID}) {
    facts = all;
    facts.capabilities &= ~(std::uint64_t{1} << capability);
    CHECK_FALSE(facts.has(capability));
    CHECK_FALSE(facts.privileged());
  }
}

TEST_CASE("machine facts: a processor's flag is a whole word of the first flags line") {
  constexpr std::string_view kText =
      "processor\t: 0\nvmx flags\t: x\nflags\t\t: fpu vme hypervisor lm\nflags\t\t: svm\n";
  CHECK(has_cpu_flag(kText, "vme"));
  CHECK(has_cpu_flag(kText, "lm"));
  CHECK_FALSE(has_cpu_flag(kText, "vm"));
  CHECK_FALSE(has_cpu_flag(kText, "svm"));
  CHECK_FALSE(has_cpu_flag("flags", "svm"));
  CHECK_FALSE(has_cpu_flag("", "svm"));
}

TEST_CASE("machine facts: model, container and hypervisor are read where others read them") {
  Directory root;
  root.file("proc/cpuinfo", "flags : svm\n");
  CHECK(probe_machine(root.path()).hypervisor.empty());
  CHECK(probe_machine(root.path()).container.empty());
  root.file("sys/class/dmi/id/sys_vendor", "QEMU\n");
  root.file("sys/class/dmi/id/product_name", "Standard PC\n");
  root.file("sys/hypervisor/type", "xen\n");
  root.file(".dockerenv", "");
  MachineFacts facts = probe_machine(root.path());
  CHECK(facts.cpu_extension == "svm");
  CHECK(facts.model == "QEMU Standard PC");
  CHECK(facts.hypervisor == "Xen");
  CHECK(facts.container == "docker");
  CHECK(facts.kvm.error == ENOENT);
  root.file("run/systemd/container", "systemd-nspawn\n");
  CHECK(probe_machine(root.path()).container == "systemd-nspawn");
}

TEST_CASE("kernel facts: trying leaves no mount, no process and no descriptor behind") {
  const std::string mounts = read_file("/proc/self/mountinfo").value();
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto open = descriptors();
  const KernelFacts facts = probe_kernel();
  CHECK_FALSE(facts.release.empty());
  CHECK(facts.no_namespace.empty());
  CHECK(read_file("/proc/self/mountinfo").value() == mounts);
  CHECK(descriptors() == open);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

}  // namespace jaula::test
