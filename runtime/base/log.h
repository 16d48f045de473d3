// Messages to people: one line, one write(2) to standard error. Parent side.
#pragma once

#include <string_view>

#include "runtime/base/error.h"

namespace jaula::log {

enum class Level : unsigned char { kDebug, kInfo, kWarning, kError };
void set_level(Level level) noexcept;
bool shows(Level level) noexcept;

void line(Level level, std::string_view text) noexcept;
void error(const Error& error) noexcept;  // text: reason, and the hint on a line of its own

template <class... Parts>
void warn(const Parts&... parts) noexcept {
  line(Level::kWarning, Error(0, parts...).text());
}
template <class... Parts>
void info(const Parts&... parts) noexcept {
  if (shows(Level::kInfo)) line(Level::kInfo, Error(0, parts...).text());
}
template <class... Parts>
void debug(const Parts&... parts) noexcept {
  if (shows(Level::kDebug)) line(Level::kDebug, Error(0, parts...).text());
}

}  // namespace jaula::log
