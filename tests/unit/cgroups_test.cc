// Limits, parsers and the files of a cgroup, on made-up files. What the kernel does with cgroups is
// seen in tests/isolation/cgroups_test.cc.
#include <doctest/doctest.h>
#include <errno.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "cgroups/limits.h"
#include "cgroups/mountinfo.h"
#include "tests/unit/fake_cgroups.h"

namespace jaula::test {
namespace {

using namespace cgroups;
using Strings = std::vector<std::string>;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("limits: the ends and the default of cpu shares meet those of cpu.weight") {
  CHECK(weight_of_shares(0) == 1);
  CHECK(weight_of_shares(2) == 1);
  CHECK(weight_of_shares(1024) == 100);
  CHECK(weight_of_shares(262144) == 10000);
  CHECK(weight_of_shares(UINT64_MAX) == 10000);
  // Values that runc and youki publish for the same conversion.
  CHECK(weight_of_shares(2000) == 170);
  CHECK(weight_of_shares(22000) == 1204);
}

TEST_CASE("limits: more shares never give less weight, and the kernel takes every weight") {
  std::uint64_t last = 0;
  for (std::uint64_t shares = 0; shares <= 262'200; ++shares) {
    const std::uint64_t weight = weight_of_shares(shares);
    if (weight < last || weight < 1 || weight > 10'000) FAIL("shares ", shares);
    last = weight;
  }
}

TEST_CASE("limits: a memory limit leaves no swap and ends the whole jail") {
  const auto writes = limit_memory(67'108'864, "web.yaml:4:14: mem_limit");
  REQUIRE(writes.size() == 3);
  for (const Write& write : writes) CHECK(write.origin == "web.yaml:4:14: mem_limit");
  CHECK(writes[0].file == "memory.swap.max");
  CHECK(writes[0].value == "0");
  CHECK(writes[0].optional);
  CHECK(writes[1].file == "memory.oom.group");
  CHECK(writes[1].value == "1");
  CHECK(writes[1].optional);
  CHECK(writes[2].file == "memory.max");
  CHECK(writes[2].value == "67108864");
  CHECK_FALSE(writes[2].optional);
}

TEST_CASE("limits: quota, weight and pids are written as the kernel reads them") {
  CHECK(limit_cpu(150'000, 100'000, "").file == "cpu.max");
  CHECK(limit_cpu(150'000, 100'000, "").value == "150000 100000");
  CHECK(limit_cpu(kUnlimited, 100'000, "").value == "max 100000");
  CHECK(weigh_cpu(512, "").file == "cpu.weight");
  CHECK(weigh_cpu(512, "").value == "59");
  CHECK(limit_pids(2048, "").file == "pids.max");
  CHECK(limit_pids(2048, "").value == "2048");
  CHECK(limit_pids(kUnlimited, "").value == "max");
}

TEST_CASE("mountinfo: the first cgroup2 and all v1 hierarchies are found") {
  const Mounts mounts = parse_mountinfo(
      "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
      "41 31 0:38 / /mnt/with\\040blank\\134 rw shared:1 master:2 - cgroup2 cgroup2 rw\n"
      "42 31 0:38 / /second rw - cgroup2 cgroup2 rw\n");
  CHECK(mounts.unified == "/mnt/with blank\\");
  REQUIRE(mounts.legacy.size() == 2);
  CHECK(mounts.legacy[0].controllers == Strings{"cpu"});
  CHECK(mounts.legacy[0].directory == "/sys/fs/cgroup/cpu,cpuacct");
  CHECK(mounts.legacy[1].controllers.empty());
}

TEST_CASE("mountinfo: what is no line of it is passed over") {
  for (const char* text : {"", "\n\n", " - ", "x - cgroup2", "1 2 3 4 5 6 - cgroup2", "- - - -",
                           "1 2 0:3 / /a\\ rw -cgroup2 cgroup2 rw", "\\\\\\ - \\ \\ \\"})
    CHECK_MESSAGE(parse_mountinfo(text).unified.empty(), text);
  CHECK(parse_mountinfo("1 2 0:3 / /a\\04 rw - cgroup2 cgroup2 rw").unified == "/a\\04");
}

TEST_CASE("own cgroup: the v2 path and what v1 holds are told apart") {
  const Membership own = parse_own_cgroup("4:cpu,cpuacct:/a:b\n1:name=systemd:/x\n0::/web:1 2\n");
  CHECK(own.path == "/web:1 2");
  CHECK(own.legacy == Strings{"cpu,cpuacct", "name=systemd"});
  CHECK(parse_own_cgroup("0::/gone (deleted)\n").path == "/gone");
  for (const char* text : {"", "\n", ":", "0", "0:", "4:memory:/\n"})
    CHECK_MESSAGE(parse_own_cgroup(text).path.empty(), text);
}

TEST_CASE("cgroup: the processes of nested cgroups count, links and foreign pids do not") {
  const FakeTree tree;
  std::filesystem::create_directories(tree.at("web/a/b"));
  tree.file("web/cgroup.procs", "10\n0\n");
  tree.file("web/a/cgroup.procs", "11\n12\n");
  tree.file("web/a/b/cgroup.procs", "13\n");
  std::filesystem::create_directory(tree.at("other"));
  tree.file("other/cgroup.procs", "99\n");
  std::filesystem::create_directory_symlink(tree.at("other"), tree.at("web/link"));
  const Result<Cgroup> web = Cgroup::open(tree.at("web"));
  REQUIRE(web);
  auto pids = web->pids();
  REQUIRE(pids);
  std::sort(pids->begin(), pids->end());
  CHECK(*pids == std::vector<int>{10, 11, 12, 13});
}

TEST_CASE("cgroup: counters are read by their whole name") {
  const FakeTree tree;
  tree.file("memory.events", "low 0\noom 3\noom_kill 7\noom_group_kill x\n");
  const Result<Cgroup> cgroup = Cgroup::open(tree.mount());
  REQUIRE(cgroup);
  CHECK(cgroup->counter("memory.events", "oom_kill") == 7);
  CHECK(cgroup->counter("memory.events", "oom") == 3);
  CHECK(cgroup->counter("memory.events", "kill") == 0);
  CHECK(cgroup->counter("memory.events", "oom_group_kill") == 0);
  CHECK(cgroup->counter("memory.nothing", "oom") == 0);
}

TEST_CASE("cgroup: a write that fails names the line of the spec, an optional file may be absent") {
  const FakeTree tree;
  const Result<Cgroup> cgroup = Cgroup::open(tree.mount());
  REQUIRE(cgroup);
  Write write{
      .file = "memory.max", .value = "1", .origin = "web.yaml:4:14: services.web.mem_limit"};
  const Result<void> refused = cgroup->write(write);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ENOENT);
  CHECK(refused.error().text() == "web.yaml:4:14: services.web.mem_limit: write 1 to memory.max");
  CHECK(contains(std::string(refused.error().hint_text()), "cgroup.subtree_control"));
  write.optional = true;
  CHECK(cgroup->write(write));
  tree.file("memory.max", "");
  CHECK(cgroup->write(write));
  CHECK(tree.text("memory.max") == "1");
}

}  // namespace jaula::test
