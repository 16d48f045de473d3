#include "isolation/seccomp.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jaula::isolation {
namespace {

long install(const std::vector<sock_filter>& instructions, unsigned flags) noexcept {
  const sock_fprog program{
      .len = static_cast<unsigned short>(instructions.size()),
      .filter = const_cast<sock_filter*>(instructions.data())};  // NOLINT: only read
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

// WAIT_KILLABLE_RECV (5.19): once the listener has read of a call, only the caller's death
// interrupts it, so a call is counted once. EBUSY: a filter around us has a listener, and the
// kernel lets there be one alone. EINVAL: a kernel that does not know the flag.
Fd install_reporting(const SeccompFilter& filter) noexcept {
  if (filter.reporting.empty()) return {};
  const unsigned flags = filter.flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  long listener = install(filter.reporting, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  if (listener < 0 && errno == EINVAL) listener = install(filter.reporting, flags);
  return Fd(listener < 0 ? -1 : static_cast<int>(listener));
}

}  // namespace

Result<Fd> apply(const SeccompFilter& filter) noexcept {
  if (filter.instructions.empty()) return Fd();
  Fd listener = install_reporting(filter);
  if (listener || install(filter.instructions, filter.flags) == 0) return listener;
  Error error(errno, "install the system call filter of ", filter.instructions.size(),
              " instructions");
  if (error.code() == ENOSYS)
    error.in("seccomp: ").hint("Linux has it from 3.17 on, with CONFIG_SECCOMP_FILTER");
  return error;
}

}  // namespace jaula::isolation
