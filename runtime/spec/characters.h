// What may stand in a spec, and how much of it. Parent side. RFC 3629, yaml.org/spec/1.2.2 chapter
// 5
#pragma once

#include <optional>
#include <string_view>

#include "runtime/spec/place.h"

namespace jaula::spec {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 100'000;                   // with aliases expanded
constexpr std::size_t kMaxTextBytes = std::size_t{4} << 20;  // of all scalars, likewise

// The offset of the first byte that is not part of valid UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);
int count_characters(std::string_view text);
// The first byte that has no place in a text: invalid UTF-8, NUL, other control characters but tab
// and newline (with a carriage return or without).
std::optional<Misread> find_foreign_byte(std::string_view text);

}  // namespace jaula::spec
