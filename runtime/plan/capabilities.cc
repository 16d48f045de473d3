#include "runtime/plan/capabilities.h"

#include <algorithm>

#include "runtime/spec/capability_names.h"

namespace jaula::plan {
namespace {

constexpr std::string_view kPrefix = "CAP_";

}  // namespace

std::optional<int> capability_number(std::string_view name) {
  const auto same = [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a ^ 0x20) : a) == b;
  };
  if (std::ranges::equal(name.substr(0, kPrefix.size()), kPrefix, same))
    name.remove_prefix(kPrefix.size());
  const auto& names = spec::kCapabilityNames;
  const auto* const found = std::ranges::find_if(
      names, [&](std::string_view known) { return std::ranges::equal(name, known, same); });
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

std::string capability_name(int number) {
  const auto at = static_cast<std::size_t>(number);
  std::string name(kPrefix);
  return at < spec::kCapabilityNames.size() ? name.append(spec::kCapabilityNames.at(at))
                                            : name.append(std::to_string(number));
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

}  // namespace jaula::plan
