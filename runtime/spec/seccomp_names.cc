#include "runtime/spec/seccomp_names.h"

#include <string.h>

namespace jaula::spec {

std::optional<std::uint32_t> errno_number(std::string_view name) {
  constexpr int kLast = 133;  // EHWPOISON
  for (int number = 1; number <= kLast; ++number) {
    const char* known = ::strerrorname_np(number);
    if (known != nullptr && name == known) return static_cast<std::uint32_t>(number);
  }
  return std::nullopt;
}

}  // namespace jaula::spec
