#include "runtime/base/log.h"

#include <sys/uio.h>
#include <unistd.h>

namespace jaula::log {
namespace {

constinit Level threshold = Level::kWarning;

iovec part(std::string_view text) noexcept {
  return {const_cast<char*>(text.data()), text.size()};  // NOLINT: writev reads only
}

}  // namespace

void set_level(Level level) noexcept { threshold = level; }

bool shows(Level level) noexcept { return level >= threshold; }

void line(Level level, std::string_view text) noexcept {
  if (!shows(level)) return;
  const std::string_view prefix = level == Level::kWarning ? "jaula: warning: " : "jaula: ";
  const iovec parts[] = {part(prefix), part(text), part("\n")};
  // Nothing can be done for a message that standard error does not take.
  [[maybe_unused]] const ssize_t ignored = ::writev(STDERR_FILENO, parts, 3);
}

void error(const Error& error) noexcept {
  const bool reason = !error.reason().empty();
  const bool hint = !error.hint_text().empty();
  const iovec parts[] = {part("jaula: "),
                         part(error.text()),
                         part(reason ? ": " : ""),
                         part(error.reason()),
                         part(hint ? "\n       " : ""),
                         part(error.hint_text()),
                         part("\n")};
  [[maybe_unused]] const ssize_t ignored = ::writev(STDERR_FILENO, parts, 7);
}

}  // namespace jaula::log
