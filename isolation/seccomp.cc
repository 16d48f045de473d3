#include "isolation/seccomp.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jaula::isolation {

Result<void> apply(const SeccompFilter& filter) noexcept {
  if (filter.instructions.empty()) return {};
  const sock_fprog program{
      .len = static_cast<unsigned short>(filter.instructions.size()),
      .filter = const_cast<sock_filter*>(filter.instructions.data())};  // NOLINT: only read
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program) < 0)
    return Error(errno, "install the system call filter of ", filter.instructions.size(),
                 " instructions");
  return {};
}

}  // namespace jaula::isolation
