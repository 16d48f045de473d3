#include "runtime/base/error.h"

#include <algorithm>
#include <cstring>

namespace jaula {

void Error::append(std::string_view part) noexcept {
  const std::size_t used = std::size_t{text_size_} + hint_size_;
  const std::size_t take = std::min(part.size(), sizeof bytes_ - used);
  char* to = bytes_ + used;
  std::copy_n(part.data(), take, to);
  // Names and paths come from anybody; a message must not drive the terminal that shows it. U+0080
  // to U+009F do that, too.
  for (std::size_t i = 0; i < take; ++i) {
    const auto code = static_cast<unsigned char>(to[i]);
    const bool c1 = code >= 0x80 && code < 0xA0 && i > 0 && to[i - 1] == '\xC2';
    if (c1) to[i - 1] = '?';
    if ((code < 0x20 && !(hinting_ && to[i] == '\n')) || code == 0x7f || c1) to[i] = '?';
  }
  (hinting_ ? hint_size_ : text_size_) += static_cast<std::uint16_t>(take);
}

void Error::append(Octal part) noexcept {
  char digits[16];
  std::size_t at = sizeof digits;
  unsigned rest = part.value;
  do {
    digits[--at] = static_cast<char>('0' + (rest & 7));
    rest >>= 3;
  } while (rest != 0);
  digits[--at] = '0';
  append(std::string_view(digits + at, sizeof digits - at));
}

void Error::append_number(std::uint64_t magnitude, bool negative) noexcept {
  char digits[24];
  std::size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + magnitude % 10);
    magnitude /= 10;
  } while (magnitude != 0);
  if (negative) digits[--at] = '-';
  append(std::string_view(digits + at, sizeof digits - at));
}

void Error::prepend(std::string_view part) noexcept {
  // When the buffer is full the end goes: the hint first, then the tail of the text.
  const std::size_t take = std::min(part.size(), sizeof bytes_);
  const std::size_t used = std::size_t{text_size_} + hint_size_;
  const std::size_t keep = std::min(used, sizeof bytes_ - take);
  std::memmove(bytes_ + take, bytes_, keep);
  std::copy_n(part.data(), take, bytes_);
  const std::size_t text = std::min(text_size_ + take, sizeof bytes_);
  text_size_ = static_cast<std::uint16_t>(text);
  hint_size_ = static_cast<std::uint16_t>(take + keep - text);
}

std::string_view Error::reason() const noexcept {
  if (code_ == 0 || explained_) return {};
  // strerrordesc_np takes no lock and knows no locale, unlike strerror.
  const char* text = ::strerrordesc_np(code_);
  return text != nullptr ? text : "unknown error";
}

}  // namespace jaula
