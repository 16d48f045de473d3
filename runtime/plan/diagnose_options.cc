// The checks of `jaula doctor` for keys that not every spec has. Pure.
#include <errno.h>

#include "runtime/plan/findings.h"

namespace jaula::plan {

// devices with a part of rwm, and jails that could make nodes.
Finding devices(const DoctorFacts& facts) {
  const Trial& program = facts.kernel.device_program;
  if (!facts.host.initial_user_namespace || facts.host.euid != 0)
    return ok("given as they are; a part of rwm is kept for root's jails alone");
  if (program.works() && !facts.host.cgroups.parent.empty())
    return ok("held by a program of the jail's cgroup");
  if (program.works())
    return degraded("cannot be held to a part of rwm: no cgroup can be made", "see cgroups above");
  if (program.error == EPERM)
    return degraded(
        "cannot be held to a part of rwm: " + reason(program),
        "give us CAP_BPF and CAP_NET_ADMIN; in a container, let its seccomp filter pass "
        "bpf");
  return degraded("cannot be held to a part of rwm: " + reason(program),
                  "a kernel with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF");
}

// apparmor= and label= of security_opt.
Finding security_modules(const DoctorFacts& facts) {
  const KernelFacts& kernel = facts.kernel;
  std::string labels;
  if (kernel.apparmor) labels = "apparmor= ";
  if (kernel.selinux) labels += "label= ";
  if (labels.empty()) labels = "neither apparmor= nor label= ";
  std::string what = labels + "of security_opt can be set";
  if (!kernel.security_modules.empty()) what += "; this kernel runs " + kernel.security_modules;
  return ok(what);
}

Finding core_scheduling(const DoctorFacts& facts) {
  const Trial& trial = facts.kernel.core_scheduling;
  if (trial.works()) return ok("can be asked for");
  if (trial.error == ENODEV) return ok("not needed: no hyperthreads, or they are off");
  if (trial.error == EINVAL)
    return ok(
        "this kernel has none (CONFIG_SCHED_CORE, 5.14); hyperthreads of a core are kept "
        "apart by switching them off: echo off >/sys/devices/system/cpu/smt/control");
  return ok("cannot be asked for: " + reason(trial));
}

}  // namespace jaula::plan
