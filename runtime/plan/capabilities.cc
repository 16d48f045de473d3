#include "runtime/plan/capabilities.h"

#include <linux/capability.h>
#include <sys/capability.h>

#include <algorithm>
#include <memory>

namespace jaula::plan {
namespace {

constexpr std::string_view kPrefix = "cap_";

// cap_to_name(3) allocates, and cap_free(3) alone may give it back.
struct CapFree {
  void operator()(char* text) const noexcept { ::cap_free(text); }
};

std::string cased(std::string_view text, char first, char last) {
  std::string changed(text);
  for (char& letter : changed)
    if (letter >= first && letter <= last) letter = static_cast<char>(letter ^ 0x20);
  return changed;
}

std::string lower(std::string_view text) { return cased(text, 'A', 'Z'); }
std::string upper(std::string_view text) { return cased(text, 'a', 'z'); }

// "cap_net_admin"; "" for a number libcap has no name for.
std::string libcap_name(int number) {
  const std::unique_ptr<char, CapFree> name(::cap_to_name(number));
  const std::string_view text = name ? name.get() : "";
  return text.starts_with(kPrefix) ? std::string(text) : std::string();
}

}  // namespace

std::optional<int> capability_number(std::string_view name) {
  std::string wanted = lower(name);
  if (!wanted.starts_with(kPrefix)) wanted.insert(0, kPrefix);
  cap_value_t number = 0;
  if (::cap_from_name(wanted.c_str(), &number) < 0) return std::nullopt;
  // cap_from_name stops at the first byte that cannot be part of a name: "cap_chown+ep" would do.
  if (libcap_name(number) != wanted) return std::nullopt;
  return number;
}

std::string capability_name(int number) {
  const std::string name = libcap_name(number);
  return name.empty() ? "CAP_" + std::to_string(number) : upper(name);
}

std::uint64_t capability_mask(std::span<const std::string> names) {
  std::uint64_t mask = 0;
  for (const std::string& name : names)
    if (const auto number = capability_number(name)) mask |= std::uint64_t{1} << *number;
  return mask;
}

std::vector<std::string> capability_names(std::uint64_t mask) {
  std::vector<std::string> names;
  for (int number = 0; number < 64; ++number)
    if ((mask >> number & 1) != 0) names.push_back(capability_name(number));
  return names;
}

std::vector<std::string_view> all_capability_names() {
  static const std::vector<std::string> names =
      capability_names((std::uint64_t{2} << CAP_LAST_CAP) - 1);
  return {names.begin(), names.end()};
}

}  // namespace jaula::plan
