// Installs a compiled syscall filter. Runs inside, last before exec: what comes after it is
// filtered too. seccomp(2)
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <vector>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct SeccompFilter {
  std::vector<sock_filter> instructions;  // empty: no filter
  // SPEC_ALLOW: before 5.16 every filtered process is slowed down by the mitigation of speculative
  // store bypass otherwise. The kernel's default has been this one since.
  unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
};

// Without no_new_privs the kernel wants CAP_SYS_ADMIN for it.
Result<void> apply(const SeccompFilter& filter) noexcept;

}  // namespace jaula::isolation
