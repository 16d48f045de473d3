#include "isolation/rlimits.h"

#include <errno.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {

Result<void> raise_for(pid_t child, const std::vector<Rlimit>& limits) noexcept {
  int index = -1;
  for (const Rlimit& limit : limits) {
    ++index;
    rlimit64 ours{};
    if (::getrlimit64(static_cast<__rlimit_resource>(limit.resource), &ours) < 0) {
      Error error(errno, "read resource limit");
      return error.at(index);
    }
    if (limit.hard <= ours.rlim_max) continue;
    Result<void> raised =
        sys::set_rlimit(child, limit.resource, {.rlim_cur = ours.rlim_cur, .rlim_max = limit.hard});
    if (raised) continue;
    if (raised.error().code() == EPERM)
      raised.error().hint(
          "raising a hard limit needs CAP_SYS_RESOURCE; ask for no more than the limit that jaula "
          "itself was started with (see `prlimit`)");
    return raised.error().at(index);
  }
  return {};
}

Result<void> apply(const std::vector<Rlimit>& limits) noexcept {
  int index = 0;
  for (const Rlimit& limit : limits) {
    Result<void> set =
        sys::set_rlimit(0, limit.resource, {.rlim_cur = limit.soft, .rlim_max = limit.hard});
    if (!set) return set.error().at(index);
    ++index;
  }
  return {};
}

}  // namespace jaula::isolation
