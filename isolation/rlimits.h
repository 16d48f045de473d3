// Resource limits of the jail. Runs outside: raising a hard limit needs CAP_SYS_RESOURCE of the
// initial user namespace, which the child has given up by then. prlimit(2)
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

Result<void> write_for(pid_t child, const std::vector<Rlimit>& limits) noexcept;

}  // namespace jaula::isolation
