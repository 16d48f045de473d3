// Rule: what a jail shares with the host or with a hostile jail gives neither of them more than
// that.
#include <sstream>

#include "tests/attack/attack.h"

namespace jaula::test {
namespace {

// As the jail whose processes it has joined sees it.
std::string pid_inside(pid_t pid) {
  const std::string status = file_bytes("/proc/" + std::to_string(pid) + "/status");
  std::istringstream words(status_field(status, "NSpid"));
  std::string last;
  for (std::string word; words >> word;) last = word;
  return last;
}

}  // namespace

TEST_CASE(
    "namespaces: a jail that is born among hostile processes cannot be looked at before it "
    "executes (CVE-2016-9962, CVE-2022-1227)") {
  const Ground ground;
  Attack attack;
  // Without user namespaces: the ids are the same then, and hide nothing.
  const std::string name = ground.jails().name("hostile");
  ground.jails().start(name, {"await", "TERM"}, {"--userns", "host"});
  const auto seen_of_joining = [&](const std::string& without) {
    const Stopped joining(ground, without, "bond ",
                          {"run", "--userns", "host", "--pid", "jail:" + name, ground.root(), "--",
                           "/bin/probe", "true"});
    REQUIRE(joining.wait());
    const Ran ran =
        ground.jaula({"exec", name, "/bin/attacker", "spy", pid_inside(joining.child())});
    joining.go_on();
    return ran.out + ran.err;
  };
  std::string seen = seen_of_joining("close descriptors");
  attack.held(seen == "done\n", seen);
  seen = seen_of_joining("close descriptors,hidden exec");
  attack.control(contains(seen, "opened mem") && contains(seen, "opened exe"), seen);
}

TEST_CASE("namespaces: the masks hold on the host's /proc, too (CVE-2017-16539)") {
  const Ground ground;
  Attack attack;
  const Words options = {"--pid", "host", "--userns", "host"};
  const Mutant without = ground.without("masks,read-only paths");
  const Words knob = {"open-for-writing", "/proc/sys/vm/swappiness"};
  Ran ran = ground.attack(knob, options);
  attack.held(ran.out == "EROFS\n", ran.out + ran.err);
  ran = without.attack(knob, options);
  attack.control(ran.out == "ok\n", ran.out + ran.err);
  const Words interrupts = {"cat", "/proc/interrupts"};
  ran = ground.probe(interrupts, options);
  attack.held(ran.out.empty(), ran.out + ran.err);
  ran = without.probe(interrupts, options);
  attack.control(contains(ran.out, "CPU0"), ran.out + ran.err);
}

TEST_CASE("namespaces: the host's cgroups are seen, not written (CVE-2022-0492)") {
  const Ground ground;
  Attack attack;
  const Words options = {"--cgroupns", "host", "--userns", "host"};
  const Words words = {"open-for-writing", "/sys/fs/cgroup/cgroup.subtree_control"};
  Ran ran = ground.attack(words, options);
  if (ran.out == "ENOENT\n") return skip("there is no cgroup2 here");
  attack.held(ran.out == "EROFS\n", ran.out + ran.err);
  ran = ground.without("read-only kernel files").attack(words, options);
  attack.control(ran.out == "ok\n", ran.out + ran.err);
}

TEST_CASE(
    "namespaces: none is made where the filter lets it through (CVE-2022-0185, CVE-2023-0386)") {
  const Ground ground;
  Attack attack;
  const Words options = {"--seccomp", "unconfined"};
  Ran ran = ground.attack({"call", "unshare"}, options);
  attack.held(ran.out == "ENOSPC\n", ran.out + ran.err);
  ran = ground.without("no namespaces").attack({"call", "unshare"}, options);
  attack.control(ran.out == "ok\n", ran.out + ran.err);
}

TEST_CASE(
    "namespaces: a cover stays on in a namespace made inside (CVE-2014-5206, CVE-2014-5207)") {
  const Ground ground;
  Attack attack;
  Ran ran = ground.attack({"uncover", "/proc/interrupts"}, {"--nesting", "1"});
  attack.held(ran.out == "EINVAL\n", ran.out + ran.err);
  // Neither does a path lead to what stands there for the kernel to see.
  ran = ground.attack({"uncover", "/dev/.nesting"}, {"--nesting", "1"});
  attack.held(ran.out == "EINVAL\n", ran.out + ran.err);
  ran = ground.attack({"uncover", "/proc/interrupts", "here"},
                      {"--seccomp", "unconfined", "--cap-add", "SYS_ADMIN"});
  attack.control(ran.out == "ok\n", ran.out + ran.err);
}

}  // namespace jaula::test
