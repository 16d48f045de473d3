// Clocks of the jail's own: CLOCK_BOOTTIME and CLOCK_MONOTONIC, moved against the host's. Runs
// inside, before the root is assembled. time_namespaces(7)
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct TimeNamespace {
  bool own = false;
  std::string offsets = {};  // as timens_offsets takes them: "boottime SECONDS NANOSECONDS\n"
};

// `proc` is a procfs of this process's pid namespace. The process itself is in the namespace
// afterwards, not its children alone, so that nothing depends on how the payload is started.
Result<void> apply(const TimeNamespace& time, int proc) noexcept;

}  // namespace jaula::isolation
