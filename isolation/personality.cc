#include "isolation/personality.h"

#include <errno.h>
#include <sys/personality.h>

namespace jaula::isolation {

Result<void> apply(const Personality& personality) noexcept {
  if (personality.domain < 0) return {};
  if (::personality(static_cast<unsigned long>(personality.domain)) < 0)
    return Error(errno, "set the personality to ", personality.domain);
  return {};
}

}  // namespace jaula::isolation
