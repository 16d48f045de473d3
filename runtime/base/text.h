// Text helpers that several layers need. Parent side only: they allocate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jaula {

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
// Decimal digits alone, the whole text, within [0, max]; nothing else is a number.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max = UINT64_MAX);
// The candidate a hand most likely meant (edit distance <= 2 and well below its length), or "".
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
// Length in bytes of the valid UTF-8 sequence at the front of a text that is not empty, 0 when
// there is none. RFC 3629
std::size_t utf8_length(std::string_view text);
// Control bytes and invalid UTF-8 as \xNN, so that foreign bytes cannot drive a terminal.
std::string escaped(std::string_view bytes);
// 2026-11-23T03:06:27.123456789Z from nanoseconds since the epoch. RFC 3339
std::string rfc3339(std::int64_t nanoseconds);
std::int64_t now_nanoseconds();  // CLOCK_REALTIME

}  // namespace jaula
