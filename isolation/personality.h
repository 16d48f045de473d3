// What kind of machine uname(2) tells of. Runs inside. personality(2)
#pragma once

#include "runtime/base/result.h"

namespace jaula::isolation {

struct Personality {
  long domain = -1;  // PER_LINUX, PER_LINUX32; -1: as it is
};

// Before a filter that locks it.
Result<void> apply(const Personality& personality) noexcept;

}  // namespace jaula::isolation
