#include "isolation/rlimits.h"

#include <errno.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {

Result<void> write_for(pid_t child, const std::vector<Rlimit>& limits) noexcept {
  int index = 0;
  for (const Rlimit& limit : limits) {
    Result<void> set =
        sys::set_rlimit(child, limit.resource, {.rlim_cur = limit.soft, .rlim_max = limit.hard});
    if (!set) {
      if (set.error().code() == EPERM)
        set.error().hint(
            "raising a hard limit needs CAP_SYS_RESOURCE; ask for no more than the "
            "limit that jaula itself was started with (see `prlimit`)");
      return set.error().at(index);
    }
    ++index;
  }
  return {};
}

}  // namespace jaula::isolation
