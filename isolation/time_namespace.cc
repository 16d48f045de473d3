#include "isolation/time_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {

Result<void> apply(const TimeNamespace& time, int proc) noexcept {
  if (!time.own) return {};
  Result<void> made = sys::unshare(CLONE_NEWTIME);
  if (!made && made.error().code() == EINVAL)
    made.error().hint("time namespaces are there from Linux 5.6 on (CONFIG_TIME_NS)");
  if (!made) return made;
  // Until a process enters it they can be set, and then never again.
  if (!time.offsets.empty()) {
    Result<void> set = sys::write_file_at(proc, "self/timens_offsets", time.offsets);
    if (!set && set.error().code() == ERANGE)
      set.error().hint("no clock may come out below zero, nor beyond 146 years");
    if (!set) return set;
  }
  const Fd entered = TRY(sys::openat(proc, "self/ns/time_for_children", O_RDONLY));
  return sys::setns(entered.get(), CLONE_NEWTIME);
}

}  // namespace jaula::isolation
