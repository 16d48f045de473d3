// What this kernel does when it is tried, for `jaula doctor`. Parent side, not on the way of a
// start: some of it forks. Nothing is left behind: what is mounted is never attached to the host's
// tree, what is created ends with its process.
#pragma once

#include <string>
#include <vector>

namespace jaula::plan {

// What a trial gave: 0, or the errno that it failed with.
struct Trial {
  int error = 0;
  [[nodiscard]] bool works() const { return error == 0; }
};

struct KernelFacts {
  std::string release;                    // 6.1.0-18-amd64
  std::vector<std::string> no_syscall;    // system calls of ours that it does not have
  std::vector<std::string> no_namespace;  // kinds that it does not have: "net"
  std::vector<std::string> exhausted;     // kinds whose user.max_*_namespaces is 0
  bool userns_needs_privilege = false;    // kernel.unprivileged_userns_clone is 0 (Debian)
  bool userns_confined = false;           // kernel.apparmor_restrict_unprivileged_userns (Ubuntu)
  std::string seccomp_actions;            // "kill_process … errno … allow"; empty: no seccomp
  int landlock_abi = 0;                   // 0: none
  Trial landlock;
  bool apparmor = false;  // it runs
  bool selinux = false;
  std::string security_modules;   // of this boot, "lockdown,yama"; empty: not to be seen
  bool clone_into_cgroup = true;  // 5.7
  bool cgroup_kill = true;        // 5.14
  std::string ptrace_scope;       // Yama; empty: not there
  std::string core_pattern;

  Trial user_namespace;  // made, with capabilities that count in it
  Trial proc;            // mounted in a user and PID namespace of its own
  Trial overlay;         // mounted in a user namespace
  Trial keyring;         // a new one of the session
  Trial idmapped_root;   // a copy of "/" with an id map, never attached
  Trial idmapped_tmpfs;
  Trial device_program;   // loaded, attached to nothing
  Trial core_scheduling;  // asked after
};

KernelFacts probe_kernel();

}  // namespace jaula::plan
