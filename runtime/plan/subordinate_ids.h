// The ids that /etc/subuid and /etc/subgid give to a user, joined to those of one jail. Pure.
// subuid(5), user_namespaces(7)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/plan/host_facts.h"

namespace jaula::plan {

// `ranges` in their order, each id once and without `own`: the kernel refuses a map that names a
// host id twice. At most as many as a map may have lines for.
std::vector<SubordinateRange> usable_ranges(const std::vector<SubordinateRange>& ranges,
                                            std::uint32_t own);
std::uint64_t count_ids(const std::vector<SubordinateRange>& ranges);

// Text of a map in which `own` is `inside`, and what `ranges` have is around it: from 0 on, then
// from inside + 1 on.
std::string map_around(std::uint32_t inside, std::uint32_t own,
                       const std::vector<SubordinateRange>& ranges);
// "INSIDE OUTSIDE COUNT\n"
std::string map_line(std::uint64_t inside, std::uint64_t outside, std::uint64_t count);

}  // namespace jaula::plan
