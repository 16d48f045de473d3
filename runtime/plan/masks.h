// What of a jail's tree is hidden or cannot be written: the default profile's paths, less those
// that the spec takes off, and the spec's own. Parent side.
#pragma once

#include <string_view>
#include <vector>

#include "isolation/mounts.h"
#include "runtime/base/error.h"
#include "runtime/spec/jail_config.h"
#include "runtime/spec/service_spec.h"

namespace jaula::plan {

void lower_masks(const spec::ServiceSpec& service, spec::JailConfig& config,
                 std::vector<Error>& problems);

// After everything that is mounted. `fresh_sysfs`: /sys is new and nothing is mounted below it.
void add_masks(isolation::MountPlan& plan, const spec::JailConfig& config, bool fresh_sysfs);

bool is_at_or_below(std::string_view path, std::string_view above);

}  // namespace jaula::plan
