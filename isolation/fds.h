// What stays open: 0, 1 and 2 are put in place, everything else closes at exec. Runs inside.
// close_range(2), CVE-2016-9962, CVE-2024-21626
#pragma once

#include <span>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct StandardFds {
  int in, out, err;
};

// Copies them to 0, 1 and 2, in any overlap; those copies stay open across execve. EBADF.
Result<void> put_in_place(const StandardFds& fds) noexcept;
// Closes everything from 3 on but the descriptors of `keep`, which are CLOEXEC and few.
Result<void> close_others(std::span<const int> keep) noexcept;

}  // namespace jaula::isolation
