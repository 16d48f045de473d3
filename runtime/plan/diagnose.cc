// The checks of `jaula doctor`: one function each, from facts to a finding. Pure.
#include <errno.h>
#include <linux/capability.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/plan/capabilities.h"
#include "runtime/plan/doctor.h"
#include "runtime/plan/findings.h"
#include "runtime/plan/id_maps.h"
#include "runtime/plan/landlock.h"
#include "runtime/plan/subordinate_ids.h"

namespace jaula::plan {
namespace {

using std::string;

// Since when the kernel has a call of ours. man-pages(7), section 2
string with_release(const string& call) {
  constexpr std::pair<std::string_view, std::string_view> kReleases[] = {
      {"clone3", "5.3"},        {"openat2", "5.6"},
      {"pidfd_open", "5.3"},    {"pidfd_send_signal", "5.1"},
      {"close_range", "5.9"},   {"open_tree", "5.2"},
      {"mount_setattr", "5.12"}};
  for (const auto& [name, release] : kReleases)
    if (call == name) return call + " (" + string(release) + ")";
  return call;
}

Finding kernel(const DoctorFacts& facts) {
  const KernelFacts& kernel = facts.kernel;
  const string name = "Linux " + kernel.release;
  std::vector<string> absent;
  for (const string& call : kernel.no_syscall) absent.push_back(with_release(call));
  if (!absent.empty())
    return missing(name + " does not let us call " + joined(absent),
                   "boot Linux 5.14 or newer; in a container, let its seccomp filter pass them");
  if (!kernel.clone_into_cgroup)
    return missing(name + " has no CLONE_INTO_CGROUP", "boot Linux 5.14 or newer");
  if (!kernel.cgroup_kill)
    return degraded(name + " has no cgroup.kill: jails are frozen and killed one by one",
                    "boot Linux 5.14 or newer");
  return ok(name);
}

Finding privileges(const DoctorFacts& facts) {
  const HostFacts& host = facts.host;
  if (!host.initial_user_namespace)
    return ok("user " + std::to_string(host.euid) + " of a user namespace, not of the host");
  if (host.euid != 0) return ok("user " + std::to_string(host.euid) + ", without privileges");
  string lost;
  for (const int capability : {CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_DAC_OVERRIDE,
                               CAP_FOWNER, CAP_KILL, CAP_NET_ADMIN, CAP_SYS_RESOURCE})
    if (!host.has(capability))
      lost.append(lost.empty() ? "" : ", ").append(capability_name(capability));
  if (lost.empty()) return ok("root");
  return degraded("root without " + lost, "grant them to the service or container around us");
}

string remedy_for_user_namespaces(const KernelFacts& kernel) {
  for (const string& kind : kernel.exhausted)
    if (kind == "user") return "sysctl user.max_user_namespaces=65536";
  if (kernel.userns_needs_privilege) return "sysctl kernel.unprivileged_userns_clone=1";
  if (kernel.userns_confined)
    return "write `abi <abi/4.0>, profile jaula /usr/local/bin/jaula flags=(unconfined) { userns, "
           "}` to /etc/apparmor.d/jaula, with the path that jaula has, and load it with "
           "apparmor_parser -r; or sysctl kernel.apparmor_restrict_unprivileged_userns=0";
  if (kernel.user_namespace.error == EINVAL) return "a kernel with CONFIG_USER_NS";
  return "in a container, let its seccomp filter pass clone3 with CLONE_NEWUSER";
}

Finding user_namespaces(const DoctorFacts& facts) {
  if (facts.kernel.user_namespace.works()) return ok("can be made");
  return missing("cannot be made: " + reason(facts.kernel.user_namespace),
                 remedy_for_user_namespaces(facts.kernel));
}

Finding other_namespaces(const DoctorFacts& facts) {
  const KernelFacts& kernel = facts.kernel;
  if (!kernel.no_namespace.empty())
    return missing("this kernel has none of " + joined(kernel.no_namespace),
                   "a kernel with CONFIG_NAMESPACES and its kinds");
  if (!kernel.exhausted.empty())
    return missing("none may be made of " + joined(kernel.exhausted),
                   "raise sysctl user.max_" + kernel.exhausted.front() + "_namespaces above 0");
  return ok("user, mnt, pid, net, ipc, uts and cgroup");
}

Finding id_ranges(const DoctorFacts& facts) {
  const HostFacts& host = facts.host;
  if (host.privileged()) return ok("root takes a free range for each jail");
  const string user = std::to_string(host.euid);
  const auto uids = usable_ranges(host.subuid, host.euid);
  const std::uint64_t count =
      std::min(count_ids(uids), count_ids(usable_ranges(host.subgid, host.egid)));
  constexpr const char* kAdd =
      "usermod --add-subuids 524288-589823 --add-subgids 524288-589823 USER, with ids that no "
      "other user has";
  if (count == 0)
    return degraded(
        "user " + user + " has no range in /etc/subuid and /etc/subgid: a jail gets one id", kAdd);
  if (!host.id_map_helpers)
    return degraded(
        "newuidmap and newgidmap are not there, or cannot gain privilege here: a jail "
        "gets one id",
        "install them (package uidmap or shadow-utils), and start jaula without "
        "no_new_privs");
  if (count + 1 < kJailIds)
    return degraded("user " + user + " has " + std::to_string(count) +
                        " ids for a jail, which has up to " + std::to_string(kJailIds),
                    kAdd);
  return ok("user " + user + " has ids from " + std::to_string(uids.front().first));
}

Finding cgroup_tree(const DoctorFacts& facts) {
  const cgroups::Hierarchy& tree = facts.host.cgroups;
  if (tree.parent.empty()) return missing(tree.problem, tree.remedy);
  return ok("jails go below " + tree.parent);
}

Finding limits(const DoctorFacts& facts) {
  const cgroups::Hierarchy& tree = facts.host.cgroups;
  if (tree.parent.empty()) return degraded("none without a cgroup", "");
  if (!tree.problem.empty()) return degraded(tree.problem, tree.remedy);
  return ok("cgroup v2 offers " + joined(tree.controllers));
}

Finding seccomp(const DoctorFacts& facts) {
  if (facts.kernel.seccomp_actions.empty())
    return missing("this kernel has no filters", "a kernel with CONFIG_SECCOMP_FILTER");
  const string& actions = facts.kernel.seccomp_actions;
  if (actions.find("user_notif") == string::npos)
    return degraded("actions " + actions + ": denied calls are not reported",
                    "boot Linux 5.0 or newer");
  return ok("actions " + actions);
}

Finding landlock_of(int abi) {
  string what = "ABI " + std::to_string(abi);
  string newest;
  bool weaker = false;
  for (const LandlockFeature& feature : landlock_features()) {
    if (feature.abi <= abi) continue;
    what.append("; ").append(feature.what).append(" (ABI ").append(std::to_string(feature.abi));
    what.append(", Linux ").append(feature.release).append(")");
    if (!feature.is_wall) continue;
    weaker = true;
    newest = feature.release;
  }
  return weaker ? degraded(what, "boot Linux " + newest + " or newer") : ok(what);
}

Finding landlock(const DoctorFacts& facts) {
  const KernelFacts& kernel = facts.kernel;
  if (kernel.landlock.works()) return landlock_of(kernel.landlock_abi);
  if (kernel.landlock.error == EOPNOTSUPP)
    return degraded("built into this kernel, but switched off",
                    kernel.security_modules.empty()
                        ? "put landlock first in lsm= on the kernel's command line"
                        : "boot with lsm=landlock," + kernel.security_modules);
  if (kernel.landlock.error == EPERM)
    return degraded("may not be used here: " + reason(kernel.landlock),
                    "in a container, let its seccomp filter pass the calls landlock_*");
  return degraded("not there: " + reason(kernel.landlock),
                  "boot a kernel with CONFIG_SECURITY_LANDLOCK, 5.13 or newer");
}

Finding proc_mounts(const DoctorFacts& facts) {
  if (!facts.kernel.user_namespace.works()) return missing("cannot be tried", "");
  if (facts.kernel.proc.works()) return ok("a jail can have a /proc of its own");
  return missing("a jail cannot have a /proc of its own: " + reason(facts.kernel.proc),
                 "the /proc around us is masked in parts; start the container with "
                 "--security-opt systempaths=unconfined (docker) or unmask=ALL (podman)");
}

Finding keyring(const DoctorFacts& facts) {
  const Trial& trial = facts.kernel.keyring;
  if (trial.works()) return ok("a jail has a session's of its own");
  if (trial.error == ENOSYS) return ok("this kernel has none");
  if (!facts.kernel.user_namespace.works()) return missing("cannot be tried", "");
  const string what = "a jail cannot have a session's of its own: " + reason(trial);
  if (trial.error == EDQUOT)
    return missing(what, "raise sysctl kernel.keys.maxkeys; /proc/key-users counts them");
  return missing(what,
                 "in a container, let its filter pass keyctl: --security-opt seccomp=unconfined "
                 "(docker, podman), --system-call-filter=@keyring (systemd-nspawn)");
}

Finding overlay(const DoctorFacts& facts) {
  if (facts.kernel.overlay.works()) return ok("can be mounted in a user namespace");
  return degraded("cannot be mounted in a user namespace: " + reason(facts.kernel.overlay),
                  "modprobe overlay; Linux 5.11 or newer");
}

Finding idmapped_mounts(const DoctorFacts& facts) {
  const KernelFacts& kernel = facts.kernel;
  if (!facts.host.privileged()) return ok("not used without privileges");
  if (kernel.idmapped_root.works() && kernel.idmapped_tmpfs.works()) return ok("on / and tmpfs");
  const bool root = !kernel.idmapped_root.works();
  const string where = root ? "/" : "tmpfs";
  return degraded(
      "not on " + where + ": " + reason(root ? kernel.idmapped_root : kernel.idmapped_tmpfs),
      root ? "keep the roots of jails on ext4, xfs or btrfs" : "Linux 6.3 or newer");
}

Finding ptrace(const DoctorFacts& facts) {
  const string& scope = facts.kernel.ptrace_scope;
  if (scope.empty()) return ok("Yama is not there: processes of one user trace each other");
  const char* meaning = scope == "0"   ? "processes of one user trace each other"
                        : scope == "1" ? "a process traces what it has started"
                        : scope == "2" ? "CAP_SYS_PTRACE of the host is needed, in a jail too"
                                       : "nobody traces anything";
  return ok("kernel.yama.ptrace_scope is " + scope + ": " + meaning);
}

Finding core_dumps(const DoctorFacts& facts) {
  const string& pattern = facts.kernel.core_pattern;
  if (!pattern.starts_with("|")) return ok("kernel.core_pattern is " + pattern);
  // The helper is started in the initial namespaces, and RLIMIT_CORE 0 does not stop it. core(5)
  const string program = pattern.substr(1, pattern.find(' ') - 1);
  return ok("a crash in a jail is handed to " + program + " on the host");
}

Finding host_machine(const DoctorFacts& facts) {
  const MachineFacts& machine = facts.machine;
  string what =
      machine.hypervisor.empty() ? "a machine of its own" : "a guest of " + machine.hypervisor;
  if (!machine.model.empty()) what += " (" + machine.model + ")";
  if (!machine.container.empty()) what += ", inside a container of " + machine.container;
  return ok(what);
}

Finding virtualization(const DoctorFacts& facts) {
  const MachineFacts& machine = facts.machine;
  const string processor =
      machine.cpu_extension.empty() ? "neither vmx nor svm is shown" : machine.cpu_extension;
  // A guest may be given /dev/kvm by a hypervisor that hides the processor's flags.
  const string device = machine.kvm.works() ? "/dev/kvm works" : "/dev/kvm: " + reason(machine.kvm);
  return ok("operating-system-level (jaula): yes; hardware-assisted: " +
            string(machine.kvm.works() ? "yes" : "no") + " (" + processor + ", " + device +
            "); emulation: always");
}

constexpr std::pair<std::string_view, Finding (*)(const DoctorFacts&)> kChecks[] = {
    {"host", host_machine},
    {"virtualization", virtualization},
    {"kernel", kernel},
    {"privileges", privileges},
    {"user namespaces", user_namespaces},
    {"namespaces", other_namespaces},
    {"id ranges", id_ranges},
    {"cgroups", cgroup_tree},
    {"limits", limits},
    {"seccomp", seccomp},
    {"landlock", landlock},
    {"proc", proc_mounts},
    {"keyring", keyring},
    {"overlayfs", overlay},
    {"idmapped mounts", idmapped_mounts},
    {"devices", devices},
    {"security modules", security_modules},
    {"core scheduling", core_scheduling},
    {"ptrace", ptrace},
    {"core dumps", core_dumps},
};

}  // namespace

std::vector<Finding> diagnose(const DoctorFacts& facts) {
  std::vector<Finding> findings;
  for (const auto& [name, check] : kChecks) {
    findings.push_back(check(facts));
    findings.back().check = name;
  }
  return findings;
}

}  // namespace jaula::plan
