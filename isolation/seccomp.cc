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
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program) == 0) return {};
  Error error(errno, "install the system call filter of ", filter.instructions.size(),
              " instructions");
  if (error.code() == ENOSYS)
    error.in("seccomp: ").hint("Linux has it from 3.17 on, with CONFIG_SECCOMP_FILTER");
  return error;
}

}  // namespace jaula::isolation
