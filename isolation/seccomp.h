// Installs a compiled syscall filter. Runs inside, last before exec: what comes after it is
// filtered too. seccomp(2), seccomp_unotify(2)
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

struct SeccompFilter {
  std::vector<sock_filter> instructions;  // empty: no filter
  // SPEC_ALLOW: before 5.16 every filtered process is slowed down by the mitigation of speculative
  // store bypass otherwise. The kernel's default has been this one since.
  unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  // The same filter, with SECCOMP_RET_USER_NOTIF in place of what is to be reported. Empty: nothing
  // is. Where the kernel does not take it, `instructions` are installed: it reports, it does not
  // protect.
  std::vector<sock_filter> reporting = {};
};

// Without no_new_privs the kernel wants CAP_SYS_ADMIN for it. Returns the listener of a filter that
// reports (CLOEXEC), or none. Who has it must hand it over: as long as a process has its own
// listener and nobody else does, a call of its that is reported never returns.
Result<Fd> apply(const SeccompFilter& filter) noexcept;

// How the process that is about to execute the payload hands its listener to the parent.
struct ListenerTaker {
  int sync = -1;
  Result<void> (*give)(int sync, int listener) noexcept = nullptr;
};

}  // namespace jaula::isolation
