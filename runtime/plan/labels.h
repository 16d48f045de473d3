// What AppArmor and SELinux are told of a payload. Parent side.
#pragma once

#include <vector>

#include "isolation/lsm_label.h"
#include "runtime/base/error.h"
#include "runtime/plan/host_facts.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

struct LabelPlan {
  std::vector<isolation::LsmLabel> labels;
  std::vector<Error> problems;
};
LabelPlan make_label_plan(const spec::JailConfig& config, const HostFacts& facts);

}  // namespace jaula::plan
