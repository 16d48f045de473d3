// Which ids a jail gets: a range of its own where the host can give one. Parent side.
// user_namespaces(7), subuid(5)
#pragma once

#include <string>
#include <vector>

#include "isolation/id_maps.h"
#include "runtime/plan/host_facts.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

inline constexpr std::uint32_t kJailIds = 65536;

struct IdPlan {
  isolation::IdMaps maps;
  std::uint32_t root_uid = 0;  // ids inside that set the jail up
  std::uint32_t root_gid = 0;
  std::uint32_t first_gid = 0;  // groups that are all mapped
  std::uint32_t last_gid = kJailIds - 1;
  bool has_tty_group = true;  // group 5, of terminals, is mapped
  std::string degraded;       // what that loses; empty: nothing
};

// `id_base` is the first host id of the range that the state store took for this jail; 0: it is not
// known yet, and what needs it has no maps.
Result<IdPlan> make_id_plan(const spec::JailConfig& config, const HostFacts& facts,
                            std::uint32_t id_base);

}  // namespace jaula::plan
