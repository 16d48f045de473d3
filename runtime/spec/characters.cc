#include "runtime/spec/characters.h"

#include <algorithm>

#include "runtime/base/text.h"

namespace jaula::spec {
namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

Place place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {.line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          .column = count_characters(before.substr(start)) + 1};
}

bool is_foreign(std::string_view text, std::size_t at) {
  const char byte = text[at];
  if (byte == '\t' || byte == '\n') return false;
  if (byte == '\r') return text.substr(at, 2) != "\r\n";
  return (static_cast<unsigned char>(byte) < 0x20) || byte == '\x7F';
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8_length(text.substr(i));
    if (size == 0) return i;
    i += size;
  }
  return std::string_view::npos;
}

int count_characters(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char byte) {
    return !is_continuation(static_cast<unsigned char>(byte));
  }));
}

std::optional<Misread> find_foreign_byte(std::string_view text) {
  const std::size_t invalid = find_invalid_utf8(text);
  const std::string_view valid = text.substr(0, invalid);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    if (!is_foreign(text, i)) continue;
    if (text[i] == '\0') return Misread{place_of(text, i), "a NUL byte"};
    if (text[i] == '\r') return Misread{place_of(text, i), "a carriage return without a newline"};
    return Misread{place_of(text, i), "a control character"};
  }
  if (invalid == std::string_view::npos) return std::nullopt;
  return Misread{place_of(text, invalid), "invalid UTF-8"};
}

}  // namespace jaula::spec
