#include "isolation/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

namespace jaula::isolation {

Result<void> put_in_place(const StandardFds& fds) noexcept {
  // Each descriptor goes above 2 first: one of them may stand where another must go.
  int high[3] = {fds.in, fds.out, fds.err};
  for (int& fd : high) {
    fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return Error(errno, "duplicate a standard descriptor");
  }
  for (int number = 0; number < 3; ++number)
    if (::dup2(high[number], number) < 0)  // NOLINT(android-cloexec-dup): 0, 1, 2 are to stay
      return Error(errno, "put descriptor ", number, " in place");
  return {};
}

Result<void> close_others(std::span<const int> keep) noexcept {
  if (mutant("close descriptors")) return {};
  int sorted[8];
  if (keep.size() > std::size(sorted)) return Error(EINVAL, "too many descriptors to keep");
  const auto end = std::copy(keep.begin(), keep.end(), std::begin(sorted));
  std::sort(std::begin(sorted), end);
  unsigned first = 3;
  for (auto kept = std::begin(sorted); kept != end; ++kept) {
    const auto number = static_cast<unsigned>(*kept);
    if (number > first) TRY(sys::close_range(first, number - 1, 0));
    first = std::max(first, number + 1);
  }
  return sys::close_range(first, UINT_MAX, 0);
}

}  // namespace jaula::isolation
