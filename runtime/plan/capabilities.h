// Capability names to bits. Parent side. capabilities(7)
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jaula::plan {

// "CAP_NET_ADMIN" or "net_admin" in any case; nullopt when this is no capability.
std::optional<int> capability_number(std::string_view name);
std::string capability_name(int number);  // CAP_NET_ADMIN; CAP_63 for one without a name
// The bits of the names; what is no capability adds none.
std::uint64_t capability_mask(std::span<const std::string> names);
std::vector<std::string> capability_names(std::uint64_t mask);

}  // namespace jaula::plan
