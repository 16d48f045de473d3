// Times on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jaula::cli {

// RFC 3339 (2026-11-23T03:06:27Z, with fractions and offsets), seconds since the epoch, or a
// duration such as 10m before now. Nanoseconds since the epoch.
std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now);

// "3 minutes ago"
std::string ago(std::int64_t then, std::int64_t now);

}  // namespace jaula::cli
