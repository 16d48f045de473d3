#include "runtime/plan/subordinate_ids.h"

#include <algorithm>

namespace jaula::plan {
namespace {

// A map has at most 340 lines: one is the user's own id, and one range may be split around it.
constexpr std::size_t kMaxRanges = 338;

// What of `range` is not in `taken`: up to two pieces.
void cut(const SubordinateRange& range, const SubordinateRange& taken,
         std::vector<SubordinateRange>& pieces) {
  const std::uint64_t end = std::uint64_t{range.first} + range.count;
  const std::uint64_t taken_end = std::uint64_t{taken.first} + taken.count;
  const auto add = [&](std::uint64_t first, std::uint64_t last) {
    if (first < last)
      pieces.push_back({.first = static_cast<std::uint32_t>(first),
                        .count = static_cast<std::uint32_t>(last - first)});
  };
  add(range.first, std::min<std::uint64_t>(end, taken.first));
  add(std::max<std::uint64_t>(range.first, taken_end), end);
}

std::vector<SubordinateRange> without(const std::vector<SubordinateRange>& ranges,
                                      const SubordinateRange& taken) {
  std::vector<SubordinateRange> pieces;
  for (const SubordinateRange& range : ranges) cut(range, taken, pieces);
  return pieces;
}

}  // namespace

std::vector<SubordinateRange> usable_ranges(const std::vector<SubordinateRange>& ranges,
                                            std::uint32_t own) {
  std::vector<SubordinateRange> usable;
  for (const SubordinateRange& range : ranges) {
    std::vector<SubordinateRange> pieces = without({range}, {.first = own, .count = 1});
    for (const SubordinateRange& taken : usable) pieces = without(pieces, taken);
    for (const SubordinateRange& piece : pieces)
      if (usable.size() < kMaxRanges) usable.push_back(piece);
  }
  return usable;
}

std::uint64_t count_ids(const std::vector<SubordinateRange>& ranges) {
  std::uint64_t count = 0;
  for (const SubordinateRange& range : ranges) count += range.count;
  return count;
}

std::string map_line(std::uint64_t inside, std::uint64_t outside, std::uint64_t count) {
  return std::to_string(inside) + " " + std::to_string(outside) + " " + std::to_string(count) +
         "\n";
}

std::string map_around(std::uint32_t inside, std::uint32_t own,
                       const std::vector<SubordinateRange>& ranges) {
  std::string below, above;
  std::uint64_t next = 0;  // id inside
  for (const SubordinateRange& range : ranges) {
    const std::uint64_t before =
        next < inside ? std::min<std::uint64_t>(range.count, inside - next) : 0;
    if (before > 0) below += map_line(next, range.first, before);
    next += before;
    if (before == range.count) continue;
    if (next == inside) ++next;  // his own
    above += map_line(next, range.first + before, range.count - before);
    next += range.count - before;
  }
  return below + map_line(inside, own, 1) + above;
}

}  // namespace jaula::plan
