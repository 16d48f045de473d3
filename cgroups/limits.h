// Limits in the words of cgroup v2: pure functions from a value to what is written. Parent side.
// Documentation/admin-guide/cgroup-v2.rst
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cgroups/cgroup.h"

namespace jaula::cgroups {

constexpr std::uint64_t kUnlimited = UINT64_MAX;  // written as "max"

// A jail over its memory dies as a whole, and at once: it gets no swap, and one OOM kill takes all
// of its processes. docker lets it swap as much again, so that the same limit means slow on one
// host and dead on another, and the slowness is everybody's disk; Kubernetes decided as we do.
std::vector<Write> limit_memory(std::uint64_t bytes, const std::string& origin);

// Microseconds of processor time in each period; 200000 of 100000 are two processors.
Write limit_cpu(std::uint64_t quota, std::uint64_t period, const std::string& origin);

// A share of the processor under contention, on cgroup v1's scale as OCI and docker have it.
Write weigh_cpu(std::uint64_t shares, const std::string& origin);

// Processes and threads together.
Write limit_pids(std::uint64_t count, const std::string& origin);

// 2..262144 to 1..10000 so that the minima, the maxima and the defaults (1024, 100) meet: what
// runc 1.3.2, crun 1.23 and youki do. github.com/opencontainers/runc/issues/4772
std::uint64_t weight_of_shares(std::uint64_t shares);

}  // namespace jaula::cgroups
