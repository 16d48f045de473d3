// A policy as classic BPF: a balanced search tree over the call numbers. Parent side; about 3 us,
// so nothing is cached. seccomp(2), Documentation/userspace-api/seccomp_filter.rst
#pragma once

#include <linux/filter.h>

#include <vector>

#include "runtime/plan/seccomp_profile.h"

namespace jaula::plan {

std::vector<sock_filter> compile(const Policy& policy);

}  // namespace jaula::plan
