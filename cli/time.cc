#include "cli/time.h"

#include <time.h>

#include <array>

#include "runtime/base/text.h"
#include "runtime/spec/units.h"

namespace jaula::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Takes `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  const auto value = parse_decimal(text.substr(0, digits), 9999);
  if (text.size() < digits || !value) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<int>(*value);
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return 0;
  std::int64_t nanoseconds = 0;
  std::int64_t unit = kSecond;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
    nanoseconds += (text[digits] - '0') * (unit /= 10);
  text.remove_prefix(digits);
  return digits == 0 ? std::nullopt : std::optional(nanoseconds);
}

// Seconds east of UTC.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (take(text, "zZ")) return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  constexpr std::array<std::string_view, 6> kAfter = {"-", "-", "tT ", ":", ":", ""};
  std::array<int, 6> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto number = take_number(text, i == 0 ? 4 : 2);
    if (!number || (!kAfter[i].empty() && !take(text, kAfter[i]))) return std::nullopt;
    fields[i] = *number;
  }
  const auto fraction = take_fraction(text);
  const auto offset = take_offset(text);
  if (!fraction || !offset || !text.empty()) return std::nullopt;
  tm parts{};
  parts.tm_year = fields[0] - 1900;
  parts.tm_mon = fields[1] - 1;
  parts.tm_mday = fields[2];
  parts.tm_hour = fields[3];
  parts.tm_min = fields[4];
  parts.tm_sec = fields[5];
  const tm asked = parts;
  const time_t seconds = ::timegm(&parts);  // puts what is out of range in range
  if (parts.tm_mon != asked.tm_mon || parts.tm_mday != asked.tm_mday ||
      parts.tm_hour != asked.tm_hour || parts.tm_min != asked.tm_min)
    return std::nullopt;
  // 64 bits hold the years 1678 to 2262.
  std::int64_t time = 0;
  if (__builtin_mul_overflow(std::int64_t{seconds} - *offset, kSecond, &time) ||
      __builtin_add_overflow(time, *fraction, &time))
    return std::nullopt;
  return time;
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now) {
  // A number as long as this is seconds since the epoch, a shorter one seconds before now.
  if (text.size() >= 9)
    if (const auto seconds = parse_decimal(text, INT64_MAX / kSecond))
      return static_cast<std::int64_t>(*seconds) * kSecond;
  if (const auto before = spec::parse_duration(text)) return now - before->count() * 1'000'000;
  return parse_rfc3339(text);
}

std::string ago(std::int64_t then, std::int64_t now) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits = {
      {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}}};
  const std::int64_t seconds = std::max<std::int64_t>((now - then) / kSecond, 0);
  for (const auto& [size, name] : kUnits) {
    if (seconds < size) continue;
    const std::int64_t count = seconds / size;
    return std::to_string(count) + " " + name + (count == 1 ? " ago" : "s ago");
  }
  return "just now";
}

}  // namespace jaula::cli
