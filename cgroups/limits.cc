#include "cgroups/limits.h"

#include <cmath>

namespace jaula::cgroups {
namespace {

std::string number(std::uint64_t value) {
  return value == kUnlimited ? "max" : std::to_string(value);
}

}  // namespace

std::vector<Write> limit_memory(std::uint64_t bytes, const std::string& origin) {
  return {
      // A kernel without CONFIG_SWAP has no such file, and no swap to keep the jail from.
      {.file = "memory.swap.max", .value = "0", .origin = origin, .optional = true},
      // 4.19. An older kernel kills one process, and the monitor still tells of it.
      {.file = "memory.oom.group", .value = "1", .origin = origin, .optional = true},
      {.file = "memory.max", .value = number(bytes), .origin = origin},
  };
}

Write limit_cpu(std::uint64_t quota, std::uint64_t period, const std::string& origin) {
  return {
      .file = "cpu.max", .value = number(quota) + " " + std::to_string(period), .origin = origin};
}

Write weigh_cpu(std::uint64_t shares, const std::string& origin) {
  return {.file = "cpu.weight", .value = number(weight_of_shares(shares)), .origin = origin};
}

Write limit_pids(std::uint64_t count, const std::string& origin) {
  return {.file = "pids.max", .value = number(count), .origin = origin};
}

std::uint64_t weight_of_shares(std::uint64_t shares) {
  constexpr std::uint64_t kMinShares = 2, kMaxShares = 262'144;  // MIN_SHARES, MAX_SHARES
  constexpr std::uint64_t kMinWeight = 1, kMaxWeight = 10'000;   // CGROUP_WEIGHT_MIN, …_MAX
  if (shares <= kMinShares) return kMinWeight;
  if (shares >= kMaxShares) return kMaxWeight;
  // The parabola through (1, 0), (10, 2) and (18, 4), on logarithmic scales of base 2 and 10.
  const double x = std::log2(static_cast<double>(shares));
  const double exponent = (x * x + 125 * x) / 612 - 7.0 / 34;
  return static_cast<std::uint64_t>(std::ceil(std::pow(10, exponent)));
}

}  // namespace jaula::cgroups
