#include "runtime/spec/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "runtime/base/text.h"

namespace jaula::spec {
namespace {

constexpr std::string_view kDigits = "0123456789";

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kSizeUnits = {Unit{"", 1},           Unit{"k", 1ULL << 10},
                                   Unit{"m", 1ULL << 20}, Unit{"g", 1ULL << 30},
                                   Unit{"t", 1ULL << 40}, Unit{"p", 1ULL << 50}};

constexpr std::array kTimeUnits = {  // from large to small
    Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000}, Unit{"ms", 1}};

// `number` (digits, perhaps with a fraction) times `factor`, rounded down.
std::optional<std::uint64_t> scaled(std::string_view number, std::uint64_t factor) {
  const std::size_t dot = number.find('.');
  const std::string_view whole = number.substr(0, dot);
  const std::string_view fraction =
      dot == std::string_view::npos ? std::string_view() : number.substr(dot + 1);
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (dot != std::string_view::npos && fraction.empty()) return std::nullopt;
  std::uint64_t part = 0;  // exact: each step divides what is left of the fraction by ten
  for (auto digit = fraction.rbegin(); digit != fraction.rend(); ++digit) {
    if (*digit < '0' || *digit > '9') return std::nullopt;
    part = (static_cast<std::uint64_t>(*digit - '0') * factor + part) / 10;
  }
  const auto units = whole.empty() ? std::uint64_t{0} : parse_decimal(whole);
  std::uint64_t result = 0;
  if (!units || __builtin_mul_overflow(*units, factor, &result) ||
      __builtin_add_overflow(result, part, &result))
    return std::nullopt;
  return result;
}

std::string_view number_prefix(std::string_view text) {
  return text.substr(0, text.find_first_not_of("0123456789."));
}

std::optional<std::int64_t> parse_based(std::string_view digits, int base) {
  std::int64_t value = 0;
  const char* end = digits.data() + digits.size();
  if (digits.empty() || digits[0] == '-') return std::nullopt;
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  // from_chars knows words of C (inf, nan) that YAML writes otherwise.
  if (text.size() == sign ||
      (kDigits.find(text[sign]) == std::string_view::npos && text[sign] != '.'))
    return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string uppered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with("0o")) return parse_based(text.substr(2), 8);
  if (text.starts_with("0x")) return parse_based(text.substr(2), 16);
  const bool negative = text.starts_with('-');
  const std::string_view digits = negative || text.starts_with('+') ? text.substr(1) : text;
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')
    return std::nullopt;
  if (const auto magnitude = parse_decimal(digits, INT64_MAX)) {
    const auto value = static_cast<std::int64_t>(*magnitude);
    return negative ? -value : value;
  }
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const auto real = parse_float(text);
  if (!real || std::trunc(*real) != *real || std::abs(*real) > kExact) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

bool is_ambiguous_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 11> kWords = {
      "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  const std::string word = lowered(text);
  if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) return true;
  if (word.ends_with(".inf") || word.ends_with(".nan")) return true;
  const bool has_digit = word.find_first_of(kDigits) != std::string::npos;
  if (has_digit && word.find_first_not_of("0123456789:_.+-") == std::string::npos)
    return true;  // numbers, 22:22, dates
  return parse_integer(text).has_value() || parse_float(text).has_value() ||
         word.starts_with("0x") || word.starts_with("0o") || word.starts_with("0b");
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const std::string_view number = number_prefix(text);
  std::string unit = lowered(text.substr(number.size()));
  if (unit == "b") unit.clear();
  if (unit.size() > 1 && unit.ends_with("b")) unit.pop_back();
  if (unit.size() > 1 && unit.ends_with("i")) unit.pop_back();
  for (const auto& [name, factor] : kSizeUnits)
    if (unit == name) return scaled(number, factor);
  return std::nullopt;
}

std::optional<std::uint64_t> parse_cpus(std::string_view text) { return scaled(text, 1'000'000); }

std::optional<std::uint64_t> parse_percent(std::string_view text, std::uint64_t whole) {
  constexpr std::uint64_t kHundred = 100'000'000;
  if (!text.ends_with('%')) return std::nullopt;
  const auto share = scaled(text.substr(0, text.size() - 1), 1'000'000);
  if (!share || *share > kHundred) return std::nullopt;
  // In two steps, so that no product leaves 64 bits: whole is at most 2^63.
  return whole / kHundred * *share + whole % kHundred * *share / kHundred;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::uint64_t kCentury = 36'525ULL * 86'400'000;
  if (const auto seconds = parse_decimal(text, kCentury / 1000))
    return std::chrono::seconds(static_cast<std::int64_t>(*seconds));
  std::uint64_t total = 0;
  const auto* allowed = kTimeUnits.begin();
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::string_view number = number_prefix(text);
    text.remove_prefix(number.size());
    const std::string_view name = text.substr(0, text.find_first_of("0123456789."));
    text.remove_prefix(name.size());
    const auto* unit =
        std::find_if(allowed, kTimeUnits.end(), [&](const Unit& u) { return u.name == name; });
    if (unit == kTimeUnits.end()) return std::nullopt;
    const auto part = scaled(number, unit->factor);
    if (!part || *part > kCentury) return std::nullopt;
    total += *part;
    allowed = unit + 1;
  }
  if (total > kCentury) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(total));
}

std::optional<unsigned> parse_mode(std::string_view text) {
  if (text.starts_with("0o")) text.remove_prefix(2);
  const auto mode = parse_based(text, 8);
  if (!mode || *mode > 07777) return std::nullopt;
  return static_cast<unsigned>(*mode);
}

std::string format_size(std::uint64_t bytes) {
  const auto unit = std::find_if(kSizeUnits.rbegin(), kSizeUnits.rend(), [&](const Unit& u) {
    return bytes >= u.factor && bytes % u.factor == 0;
  });
  if (unit == kSizeUnits.rend()) return std::to_string(bytes);
  return std::to_string(bytes / unit->factor).append(unit->name);
}

std::string format_cpus(std::uint64_t millionths) {
  std::string fraction = std::to_string(1'000'000 + millionths % 1'000'000).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  const std::string whole = std::to_string(millionths / 1'000'000);
  return fraction.empty() ? whole : whole + '.' + fraction;
}

std::string format_duration(std::chrono::milliseconds duration) {
  auto left = static_cast<std::uint64_t>(duration.count());
  std::string text;
  for (const auto& [name, factor] : kTimeUnits) {
    if (left < factor) continue;
    text += std::to_string(left / factor).append(name);
    left %= factor;
  }
  return text.empty() ? "0s" : text;
}

std::string format_mode(unsigned mode) {
  char digits[8] = {};
  const auto end = std::to_chars(std::begin(digits), std::end(digits), mode, 8).ptr;
  return "0" + std::string(digits, end);
}

}  // namespace jaula::spec
