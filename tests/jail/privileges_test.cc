// `privileged`, labels of security modules, personality and core scheduling: what /proc says of the
// payload, and what a host without them says.
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>

#include "tests/jail/jails.h"

namespace jaula::test {
namespace {

std::string sets(const std::string& status) {
  std::string text;
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    text += (text.empty() ? "" : " ") + status_field(status, set);
  return text;
}

constexpr const char* kNone = "0000000000000000";

// 0 is the caller; no cookie is 0.
unsigned long long cookie_of(int pid) {
  unsigned long long cookie = 0;
  REQUIRE_EQ(::prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, pid, PR_SCHED_CORE_SCOPE_THREAD, &cookie),
             0);
  return cookie;
}

std::string five(const std::string& inheritable, const std::string& held,
                 const std::string& bounding, const std::string& ambient) {
  return inheritable + " " + held + " " + held + " " + bounding + " " + ambient;
}

}  // namespace

TEST_CASE("privileged: the five sets, no filter, no no_new_privs; the user namespace stays") {
  const Jails jails;
  const Words options = {"--privileged"};
  const std::string status = jails.probe({"cat", "/proc/self/status"}, options).out;
  const std::string whole = status_field(status, "CapBnd");
  CHECK_NE(whole, kNone);
  CHECK_EQ(sets(status), five(kNone, whole, whole, kNone));
  if (::geteuid() == 0) {
    // Every capability of the kernel's, though jaula itself may have fewer.
    const std::string last = file_bytes("/proc/sys/kernel/cap_last_cap");
    char text[32];
    std::snprintf(text, sizeof text, "%016llx", (2ULL << std::stoul(last)) - 1);
    CHECK_EQ(whole, text);
  }
  CHECK_EQ(status_field(status, "Seccomp"), "0");
  CHECK_EQ(status_field(status, "NoNewPrivs"), "0");
  CHECK_EQ(jails.probe({"mount"}, options).out, "ok\n");
  CHECK_NE(jails.probe({"cat", "/proc/interrupts"}, options).out, "");
  CHECK_FALSE(contains(jails.probe({"cat", "/proc/self/mountinfo"}, options).out, " /proc/"));
  // Of the machine's root, who is nobody here.
  CHECK_EQ(jails.probe({"put", "/proc/sys/kernel/core_pattern", "x"}, options).out, "EACCES\n");
  CHECK_EQ(jails.probe({"put", "/sys/kernel/uevent_seqnum", "x"}, options).out, "EROFS\n");
}

TEST_CASE("privileged: a user who is not root has all to gain and holds what was added") {
  if (::geteuid() != 0) return skip("a user's jail may have one id alone");
  const Jails jails;
  const std::string whole =
      status_field(jails.probe({"cat", "/proc/self/status"}, {"--privileged"}).out, "CapBnd");
  std::string status = jails.probe({"cat", "/proc/self/status"}, {"--privileged", "-u", "web"}).out;
  CHECK_EQ(sets(status), five(kNone, kNone, whole, kNone));
  const std::string chown = "0000000000000001";
  status =
      jails.probe({"cat", "/proc/self/status"}, {"--privileged", "-u", "web", "--cap-add", "CHOWN"})
          .out;
  CHECK_EQ(sets(status), five(chown, chown, whole, chown));

  const std::string name = jails.name("exec");
  jails.start(name, {"await", "TERM"}, {"--privileged"});
  const auto in_exec = [&](Words options) {
    options.insert(options.begin(), "exec");
    for (const std::string& word :
         {name, std::string("probe"), std::string("cat"), std::string("/proc/self/status")})
      options.push_back(word);
    return sets(jails.jaula(options).out);
  };
  CHECK_EQ(in_exec({}), five(kNone, whole, whole, kNone));
  CHECK_EQ(in_exec({"-u", "web"}), five(kNone, kNone, whole, kNone));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
}

TEST_CASE("privileged: what the spec says besides holds") {
  const Jails jails;
  const std::string status =
      jails
          .probe({"cat", "/proc/self/status"},
                 {"--privileged", "--cap-drop", "CHOWN", "--security-opt", "no-new-privileges",
                  "--seccomp", "default", "--set", "mask=[/proc/interrupts]"})
          .out;
  CHECK_EQ(status_field(status, "CapEff").back(), 'e');
  CHECK_EQ(status_field(status, "NoNewPrivs"), "1");
  CHECK_EQ(status_field(status, "Seccomp"), "2");
  CHECK_EQ(
      jails.probe({"cat", "/proc/interrupts"}, {"--privileged", "--set", "mask=[/proc/interrupts]"})
          .out,
      "");
}

TEST_CASE("privileged: it is said on standard error, by plan and in the record") {
  const Jails jails;
  const std::string name = jails.name("loud");
  const Ran ran = jails.jaula(
      {"run", "-d", "--name", name, "--privileged", jails.root(), "--", "probe", "await", "TERM"});
  REQUIRE_EQ(ran.code, 0);
  CHECK(contains(ran.err, "privileged: no mask"));
  CHECK(contains(jails.jaula({"inspect", name}).out, "privileged: no mask"));
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
  const Ran plan = jails.jaula({"plan", "--privileged", jails.root(), "--", "probe"});
  CHECK(contains(plan.err, "privileged: no mask"));
  CHECK(contains(plan.out, "privileged\n"));
  if (::geteuid() != 0) return;
  CHECK(contains(
      jails.jaula({"plan", "--privileged", "--userns", "host", jails.root(), "--", "probe"}).err,
      "root of this jail is root of the machine"));
}

TEST_CASE("privileged: with the host's ids /sys can be written, and without it cannot") {
  if (::geteuid() != 0) return skip("`userns_mode: host` takes root");
  const Jails jails;
  const auto flags = [&](const Words& options) {
    const std::string mounts = jails.probe({"cat", "/proc/self/mountinfo"}, options).out;
    const std::size_t at = mounts.find(" /sys ");
    return mounts.substr(at + 6, 2);
  };
  CHECK_EQ(flags({"--privileged", "--userns", "host"}), "rw");
  CHECK_EQ(flags({"--userns", "host"}), "ro");
  CHECK_EQ(flags({"--privileged"}), "ro");
}

TEST_CASE("privileged: a contradiction is refused at its line") {
  const Jails jails;
  Ran ran = jails.probe({"true"}, {"--privileged", "--cap-drop", "ALL"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "--cap-drop: ALL contradicts `privileged: true`"));
  ran = jails.probe({"true"}, {"--privileged", "--seccomp", "strict"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "strict contradicts `privileged: true`"));
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("labels: a host without the security module refuses a label, and takes it for none") {
  const Jails jails;
  const bool apparmor = file_bytes("/sys/module/apparmor/parameters/enabled").starts_with("Y");
  const bool selinux = contains(file_bytes("/proc/filesystems"), "selinuxfs");
  if (apparmor || selinux) return skip("this host has such a module");
  Ran ran = jails.probe({"true"}, {"--security-opt", "apparmor=docker-default"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err,
                 "--security-opt: this kernel runs without AppArmor: the profile "
                 "docker-default cannot be set\n"));
  CHECK(contains(ran.err, "boot with apparmor=1"));
  ran = jails.probe({"true"}, {"--security-opt", "label=type:container_t"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "this kernel runs without SELinux: the label cannot be set\n"));
  for (const char* option : {"apparmor=unconfined", "label=disable"})
    CHECK_EQ(jails.probe({"true"}, {"--security-opt", option}).code, 0);
  CHECK_EQ(jails.left_behind(), "");
}

TEST_CASE("personality: uname tells of another machine, in exec too") {
  const Jails jails;
  CHECK_EQ(jails.probe({"machine"}).out, "x86_64\n");
  CHECK_EQ(jails.probe({"machine"}, {"--set", "personality=linux32"}).out, "i686\n");
  const std::string name = jails.name("exec");
  jails.start(name, {"await", "TERM"}, {"--set", "personality=linux32"});
  CHECK_EQ(jails.jaula({"exec", name, "probe", "machine"}).out, "i686\n");
  CHECK_EQ(jails.jaula({"stop", name}).code, 0);
}

TEST_CASE("core scheduling: the jail has a cookie of its own, or the kernel's lack of it is said") {
  const Jails jails;
  const Ran ran = jails.probe({"true"}, {"--set", "core_scheduling=true"});
  CAPTURE(ran.err);
  if (ran.code == 0) {
    const std::string first = jails.name("first"), second = jails.name("second");
    for (const std::string& name : {first, second})
      jails.start(name, {"await", "TERM"}, {"--set", "core_scheduling=true"});
    CHECK_NE(cookie_of(jails.init_pid(first)), cookie_of(0));
    CHECK_NE(cookie_of(jails.init_pid(first)), cookie_of(jails.init_pid(second)));
    CHECK_EQ(jails.jaula({"exec", first, "probe", "true"}).code, 0);
    CHECK_EQ(jails.jaula({"stop", first, second}).code, 0);
    return;
  }
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err,
                 "--set core_scheduling: core scheduling of the jail's "
                 "processes: "));
  CHECK((contains(ran.err, "CONFIG_SCHED_CORE") || contains(ran.err, "no hyperthreads")));
  CHECK_EQ(jails.left_behind(), "");
}

}  // namespace jaula::test
