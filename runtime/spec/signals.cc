// Signal names, as kill(1) has them. The real-time range is glibc's: 34 to 64. signal(7)
#include <array>

#include "runtime/base/text.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

constexpr int kRealTimeFirst = 34;
constexpr int kRealTimeLast = 64;

constexpr std::array<std::string_view, 32> kNames = {
    "",     "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};

// RTMIN+3, RTMAX-1
std::optional<int> parse_real_time(std::string_view name) {
  const bool from_first = name.starts_with("RTMIN");
  if (!from_first && !name.starts_with("RTMAX")) return std::nullopt;
  const std::string_view offset = name.substr(5);
  if (offset.empty()) return from_first ? kRealTimeFirst : kRealTimeLast;
  if (offset[0] != (from_first ? '+' : '-')) return std::nullopt;
  const auto steps = parse_decimal(offset.substr(1), kRealTimeLast - kRealTimeFirst);
  if (!steps) return std::nullopt;
  const int distance = static_cast<int>(*steps);
  return from_first ? kRealTimeFirst + distance : kRealTimeLast - distance;
}

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
  if (const auto number = parse_decimal(text)) {
    if (*number < 1 || *number > kRealTimeLast) return std::nullopt;
    return static_cast<int>(*number);
  }
  std::string name = uppered(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (std::size_t i = 1; i < kNames.size(); ++i)
    if (name == kNames[i]) return static_cast<int>(i);
  return parse_real_time(name);
}

std::string format_signal(int number) {
  const auto index = static_cast<std::size_t>(number);
  if (index < kNames.size()) return "SIG" + std::string(kNames[index]);
  if (number < kRealTimeFirst) return std::to_string(number);
  const int distance = number - kRealTimeFirst;
  return distance == 0 ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(distance);
}

}  // namespace jaula::spec
