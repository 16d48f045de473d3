#include "isolation/core_scheduling.h"

#include <errno.h>
#include <sys/prctl.h>

namespace jaula::isolation {

Result<void> apply(const CoreScheduling& scheduling) noexcept {
  using Kind = CoreScheduling::Kind;
  if (scheduling.kind == Kind::kNone) return {};
  const unsigned long command =
      scheduling.kind == Kind::kCreate ? PR_SCHED_CORE_CREATE : PR_SCHED_CORE_SHARE_FROM;
  constexpr unsigned long kThread = PR_SCHED_CORE_SCOPE_THREAD;
  if (::prctl(PR_SCHED_CORE, command, scheduling.from, kThread, 0) == 0) return {};
  Error error(errno, scheduling.origin, scheduling.origin.empty() ? "" : ": ",
              "core scheduling of the jail's processes");
  if (error.code() == EINVAL) return error.hint("it takes a kernel with CONFIG_SCHED_CORE, 5.14");
  if (error.code() == ENODEV)
    return error.hint("this machine has no hyperthreads, or they are off: leave the key out");
  return error;
}

}  // namespace jaula::isolation
