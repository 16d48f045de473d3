// Resource limits of the jail. Set inside, as late as can be, for they would bind what builds the
// jail; raising a hard limit needs CAP_SYS_RESOURCE of the initial user namespace, so that part is
// done outside. getrlimit(2), prlimit(2)
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct Rlimit {
  int resource;  // RLIMIT_*
  std::uint64_t soft;
  std::uint64_t hard;  // RLIM64_INFINITY: unlimited
};

// Outside, before the child applies them: raises those hard limits that are above ours.
Result<void> raise_for(pid_t child, const std::vector<Rlimit>& limits) noexcept;
// An Error has the index (Error::at) of the limit that was refused: EPERM above the hard limit.
Result<void> apply(const std::vector<Rlimit>& limits) noexcept;

}  // namespace jaula::isolation
