// The processes of a jail share a processor core with each other alone: what one hyperthread leaks
// to its sibling stays in the jail. prctl(2) PR_SCHED_CORE,
// Documentation/admin-guide/hw-vuln/core-scheduling.rst
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct CoreScheduling {
  enum class Kind : std::uint8_t {
    kNone,
    kCreate,  // a cookie that no other has; what is started later has it too
    kShare,   // that of the process `from`, which this one may trace
  } kind = Kind::kNone;
  pid_t from = 0;
  std::string origin = {};
};

// Of this process. kCreate inside, kShare outside, where `from` is known by its number.
Result<void> apply(const CoreScheduling& scheduling) noexcept;

}  // namespace jaula::isolation
