// Options of a plan, and what it says of limits, as text.
#pragma once

#include <string>

#include "runtime/plan/launch_plan.h"

namespace jaula::test {

// Of a jail whose range is claimed.
inline plan::PlanOptions options(bool degrade = false) {
  plan::PlanOptions options;
  options.id_base = 524288;
  options.degrade = degrade;
  return options;
}

inline std::string writes(const plan::LaunchPlan& plan) {
  std::string text;
  for (const cgroups::Write& write : plan.cgroup_writes)
    text += (text.empty() ? "" : ", ") + write.file + "=" + write.value;
  return text;
}

// The limit as "SOFT/HARD", "" when the plan has none.
inline std::string rlimit(const plan::LaunchPlan& plan, int resource) {
  for (const isolation::Rlimit& limit : plan.rlimits)
    if (limit.resource == resource)
      return std::to_string(limit.soft) + "/" + std::to_string(limit.hard);
  return "";
}

}  // namespace jaula::test
