// What the doctor says of injected facts.
#include "runtime/plan/doctor.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <linux/capability.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace jaula::test {
namespace {

using namespace plan;
using Strings = std::vector<std::string>;

// Root on a present-day host with systemd, where nothing is missing.
DoctorFacts good_host() {
  DoctorFacts facts;
  facts.host.capabilities = (std::uint64_t{1} << (CAP_LAST_CAP + 1)) - 1;
  facts.host.cgroups.layout = cgroups::Layout::kUnified;
  facts.host.cgroups.mount = "/sys/fs/cgroup";
  facts.host.cgroups.parent = "/sys/fs/cgroup/jaula";
  facts.host.cgroups.controllers = {"cpu", "memory", "pids", "io", "cpuset"};
  facts.kernel.release = "6.1.0-18-amd64";
  facts.kernel.seccomp_actions = "kill_process trap errno user_notif log allow";
  facts.kernel.landlock_abi = 7;
  facts.kernel.ptrace_scope = "1";
  facts.kernel.core_pattern = "core";
  facts.machine.cpu_extension = "vmx";
  facts.machine.model = "LENOVO 20Y3";
  return facts;
}

DoctorFacts good_user() {
  DoctorFacts facts = good_host();
  facts.host.euid = 1000;
  facts.host.capabilities = 0;
  facts.host.subuid = {{.first = 100'000, .count = 65'536}};
  facts.host.subgid = {{.first = 100'000, .count = 65'536}};
  facts.host.id_map_helpers = true;
  facts.host.cgroups.delegated = true;
  return facts;
}

Finding find(const DoctorFacts& facts, std::string_view check) {
  for (const Finding& finding : diagnose(facts))
    if (finding.check == check) return finding;
  FAIL("no check has this name: ", check);
  return {};
}

Strings not_ok(const DoctorFacts& facts) {
  Strings names;
  for (const Finding& finding : diagnose(facts))
    if (finding.state != FindingState::kOk) names.push_back(finding.check);
  return names;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// The facts as `change` leaves them, and what one check says then.
template <class Change>
Finding after(DoctorFacts facts, Change change, std::string_view check) {
  change(facts);
  return find(facts, check);
}

}  // namespace

TEST_CASE("doctor: root and a user on a good host have nothing to repair") {
  CHECK(not_ok(good_host()).empty());
  CHECK(not_ok(good_user()).empty());
  CHECK(is_usable(diagnose(good_host())));
  CHECK(find(good_user(), "id ranges").what == "user 1000 has ids from 100000");
  CHECK(find(good_host(), "cgroups").what == "jails go below /sys/fs/cgroup/jaula");
}

TEST_CASE(
    "doctor: a host without cgroups for us is not usable, and says the hierarchy's own words") {
  DoctorFacts facts = good_user();
  facts.host.cgroups.parent.clear();
  facts.host.cgroups.problem = "no cgroup is delegated";
  facts.host.cgroups.remedy = "systemd-run …";
  CHECK(not_ok(facts) == Strings{"cgroups", "limits"});
  CHECK_FALSE(is_usable(diagnose(facts)));
  CHECK(find(facts, "cgroups").what == "no cgroup is delegated");
  CHECK(find(facts, "cgroups").remedy == "systemd-run …");
}

TEST_CASE("doctor: missing controllers degrade limits and nothing else") {
  DoctorFacts facts = good_host();
  facts.host.cgroups.controllers = {"memory"};
  facts.host.cgroups.problem = "cgroup v2 does not offer cpu, pids";
  facts.host.cgroups.remedy = "boot";
  CHECK(not_ok(facts) == Strings{"limits"});
  CHECK(is_usable(diagnose(facts)));
}

TEST_CASE("doctor: without user namespaces the remedy is for the cause") {
  const auto with = [](auto change) {
    return after(
        good_user(),
        [&](DoctorFacts& facts) {
          facts.kernel.user_namespace.error = EPERM;
          change(facts.kernel);
        },
        "user namespaces");
  };
  CHECK(with([](KernelFacts&) {}).state == FindingState::kMissing);
  CHECK(contains(with([](KernelFacts&) {}).what, "Operation not permitted"));
  CHECK(contains(with([](KernelFacts&) {}).remedy, "seccomp"));
  CHECK(contains(with([](KernelFacts& k) { k.userns_needs_privilege = true; }).remedy,
                 "unprivileged_userns_clone=1"));
  CHECK(contains(with([](KernelFacts& k) { k.userns_confined = true; }).remedy,
                 "flags=(unconfined) { userns, }"));
  CHECK(contains(with([](KernelFacts& k) { k.exhausted = {"user"}; }).remedy,
                 "user.max_user_namespaces"));
  CHECK(contains(with([](KernelFacts& k) { k.user_namespace.error = EINVAL; }).remedy,
                 "CONFIG_USER_NS"));
}

TEST_CASE("doctor: a kernel that is too old is named with what it lacks") {
  const Finding calls = after(
      good_host(),
      [](DoctorFacts& f) {
        f.kernel.no_syscall = {"openat2", "clone3"};
      },
      "kernel");
  CHECK(calls.state == FindingState::kMissing);
  CHECK(calls.what == "Linux 6.1.0-18-amd64 does not let us call openat2 (5.6), clone3 (5.3)");
  CHECK(after(
            good_host(), [](DoctorFacts& f) { f.kernel.clone_into_cgroup = false; }, "kernel")
            .state == FindingState::kMissing);
  CHECK(after(
            good_host(), [](DoctorFacts& f) { f.kernel.cgroup_kill = false; }, "kernel")
            .state == FindingState::kDegraded);
  CHECK(after(
            good_host(), [](DoctorFacts& f) { f.kernel.no_namespace = {"net"}; }, "namespaces")
            .state == FindingState::kMissing);
  CHECK(after(
            good_host(), [](DoctorFacts& f) { f.kernel.exhausted = {"net"}; }, "namespaces")
            .remedy == "raise sysctl user.max_net_namespaces above 0");
}

TEST_CASE("doctor: a user without ids or helpers gets one id, and is told so") {
  const auto small = [](DoctorFacts& facts) { facts.host.subgid.front().count = 65'534; };
  CHECK(after(good_user(), small, "id ranges").state == FindingState::kDegraded);
  CHECK(contains(after(good_user(), small, "id ranges").remedy, "usermod --add-subuids"));
  CHECK(contains(after(good_user(), small, "id ranges").what, "has 65534 ids for a jail"));
  const auto none = [](DoctorFacts& facts) { facts.host.subgid.clear(); };
  CHECK(contains(after(good_user(), none, "id ranges").what, "a jail gets one id"));
  const auto bare = [](DoctorFacts& facts) { facts.host.id_map_helpers = false; };
  CHECK(contains(after(good_user(), bare, "id ranges").remedy, "uidmap"));
}

TEST_CASE("doctor: what is only less safe or less handy is degraded") {
  const auto state = [](const char* check, void (*change)(DoctorFacts&)) {
    return after(good_host(), change, check).state;
  };
  CHECK(state("landlock", [](DoctorFacts& f) { f.kernel.landlock.error = EOPNOTSUPP; }) ==
        FindingState::kDegraded);
  CHECK(state("overlayfs", [](DoctorFacts& f) { f.kernel.overlay.error = EPERM; }) ==
        FindingState::kDegraded);
  CHECK(state("idmapped mounts", [](DoctorFacts& f) { f.kernel.idmapped_root.error = EINVAL; }) ==
        FindingState::kDegraded);
  CHECK(state("privileges", [](DoctorFacts& f) { f.host.capabilities = 1U << CAP_CHOWN; }) ==
        FindingState::kDegraded);
  CHECK(state("seccomp", [](DoctorFacts& f) { f.kernel.seccomp_actions = "errno allow"; }) ==
        FindingState::kDegraded);
  CHECK(state("seccomp", [](DoctorFacts& f) { f.kernel.seccomp_actions.clear(); }) ==
        FindingState::kMissing);
  CHECK(state("keyring", [](DoctorFacts& f) { f.kernel.keyring.error = ENOSYS; }) ==
        FindingState::kOk);
  CHECK(state("keyring", [](DoctorFacts& f) { f.kernel.keyring.error = EPERM; }) ==
        FindingState::kMissing);
  CHECK(state("seccomp", [](DoctorFacts& f) { f.kernel.seccomp_actions = "errno allow"; }) ==
        FindingState::kDegraded);
  CHECK(state("devices", [](DoctorFacts& f) { f.kernel.device_program.error = ENOSYS; }) ==
        FindingState::kDegraded);
  CHECK(state("proc", [](DoctorFacts& f) { f.kernel.proc.error = EPERM; }) ==
        FindingState::kMissing);
}

TEST_CASE("doctor: what Landlock's ABI lacks is told with its remedy, and why there is none") {
  const auto of_abi = [](int abi) {
    return after(
        good_host(), [&](DoctorFacts& f) { f.kernel.landlock_abi = abi; }, "landlock");
  };
  CHECK(of_abi(7).what == "ABI 7");
  CHECK(of_abi(8).what == "ABI 8");
  CHECK(of_abi(6).state == FindingState::kOk);
  CHECK(of_abi(6).what ==
        "ABI 6; what a jail refuses itself is in the host's audit log (ABI 7, Linux 6.15)");
  CHECK(of_abi(4).state == FindingState::kDegraded);
  CHECK(of_abi(4).what ==
        "ABI 4; ioctl(2) on devices cannot be held back (ABI 5, Linux 6.10); signals and abstract "
        "UNIX sockets cannot be held back (ABI 6, Linux 6.12); what a jail refuses itself is in "
        "the host's audit log (ABI 7, Linux 6.15)");
  CHECK(of_abi(4).remedy == "boot Linux 6.12 or newer");
  CHECK(contains(of_abi(1).what, "ABI 1; no file can be renamed into another directory (ABI 2"));

  const auto without = [](int error, const char* modules = "") {
    return after(
        good_host(),
        [&](DoctorFacts& f) {
          f.kernel.landlock.error = error;
          f.kernel.security_modules = modules;
        },
        "landlock");
  };
  CHECK(without(EOPNOTSUPP, "lockdown,yama").remedy == "boot with lsm=landlock,lockdown,yama");
  CHECK(without(EOPNOTSUPP).remedy == "put landlock first in lsm= on the kernel's command line");
  CHECK(contains(without(EPERM).remedy, "let its seccomp filter pass the calls landlock_*"));
  CHECK(contains(without(ENOSYS).remedy, "CONFIG_SECURITY_LANDLOCK"));
}

TEST_CASE("doctor: why devices cannot be held to a part of rwm is told with its remedy") {
  const auto with = [](int error) {
    return after(
        good_host(), [&](DoctorFacts& f) { f.kernel.device_program.error = error; }, "devices");
  };
  CHECK(with(0).what == "held by a program of the jail's cgroup");
  CHECK(contains(with(EPERM).remedy, "CAP_BPF"));
  CHECK(contains(with(ENOSYS).remedy, "CONFIG_CGROUP_BPF"));
  const auto homeless = [](DoctorFacts& f) { f.host.cgroups.parent.clear(); };
  CHECK(after(good_host(), homeless, "devices").remedy == "see cgroups above");
  const auto user = [](DoctorFacts& f) { f.kernel.device_program.error = EPERM; };
  CHECK(after(good_user(), user, "devices").state == FindingState::kOk);
}

TEST_CASE("doctor: security modules, core scheduling and Yama are told as they are") {
  const auto modules = [](bool apparmor, bool selinux, const char* running) {
    return after(
               good_host(),
               [&](DoctorFacts& f) {
                 f.kernel.apparmor = apparmor;
                 f.kernel.selinux = selinux;
                 f.kernel.security_modules = running;
               },
               "security modules")
        .what;
  };
  CHECK(modules(false, false, "") == "neither apparmor= nor label= of security_opt can be set");
  CHECK(modules(true, false, "capability,apparmor") ==
        "apparmor= of security_opt can be set; this kernel runs capability,apparmor");
  CHECK(modules(false, true, "") == "label= of security_opt can be set");
  const auto cores = [](int error) {
    return after(
               good_host(), [&](DoctorFacts& f) { f.kernel.core_scheduling.error = error; },
               "core scheduling")
        .what;
  };
  CHECK(cores(0) == "can be asked for");
  CHECK(contains(cores(ENODEV), "no hyperthreads"));
  CHECK(contains(cores(EINVAL), "CONFIG_SCHED_CORE"));
  const auto yama = [](const char* scope) {
    return after(
               good_host(), [&](DoctorFacts& f) { f.kernel.ptrace_scope = scope; }, "ptrace")
        .what;
  };
  CHECK(contains(yama(""), "Yama is not there"));
  CHECK(contains(yama("2"), "ptrace_scope is 2: CAP_SYS_PTRACE"));
  CHECK(contains(yama("3"), "nobody"));
}

TEST_CASE("doctor: who runs the machine, and which virtualization is possible, stand on a line") {
  DoctorFacts facts = good_host();
  CHECK(find(facts, "host").what == "a machine of its own (LENOVO 20Y3)");
  CHECK(find(facts, "virtualization").what ==
        "operating-system-level (jaula): yes; hardware-assisted: yes (vmx, /dev/kvm works); "
        "emulation: always");
  facts.machine = {.hypervisor = "KVM", .container = "docker", .kvm = {.error = ENOENT}};
  CHECK(find(facts, "host").what == "a guest of KVM, inside a container of docker");
  CHECK(contains(find(facts, "virtualization").what,
                 "hardware-assisted: no (neither vmx nor svm is shown, /dev/kvm: No such file"));
  CHECK(is_usable(diagnose(facts)));
}

TEST_CASE("doctor: a pipe for core dumps is named, for the helper runs on the host") {
  const auto piped = [](DoctorFacts& facts) {
    facts.kernel.core_pattern = "|/usr/lib/systemd/systemd-coredump %P %u";
  };
  CHECK(after(good_host(), piped, "core dumps").what ==
        "a crash in a jail is handed to /usr/lib/systemd/systemd-coredump on the host");
  const auto bare = [](DoctorFacts& facts) { facts.kernel.core_pattern = "|/bin/keep"; };
  CHECK(contains(after(good_host(), bare, "core dumps").what, "/bin/keep on"));
}

TEST_CASE("doctor: the text has a line for each finding, and its remedy below") {
  const std::vector<Finding> findings = {
      {.check = "kernel", .what = "Linux\x1b[2J"},
      {.check = "proc", .state = FindingState::kMissing, .what = "masked", .remedy = "unmask"}};
  CHECK(to_text(findings) ==
        "ok        kernel            Linux\\x1b[2J\n"
        "missing   proc              masked\n"
        "                            unmask\n");
}

TEST_CASE("doctor: the JSON says the same, whatever bytes the firmware has") {
  const auto report = nlohmann::json::parse(to_json(
      {{.check = "host", .what = "\xff"}, {.check = "proc", .state = FindingState::kDegraded}}));
  CHECK(report["usable"] == true);
  REQUIRE(report["findings"].size() == 2);
  CHECK(report["findings"][0]["check"] == "host");
  CHECK(report["findings"][0]["state"] == "ok");
  CHECK(report["findings"][1]["state"] == "degraded");
  CHECK(nlohmann::json::parse(to_json({{.state = FindingState::kMissing}}))["usable"] == false);
}

}  // namespace jaula::test
