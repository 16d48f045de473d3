// Configs and secrets: their bytes, read before a start, and their place in the mount plan.
// Parent side.
#pragma once

#include <vector>

#include "isolation/mounts.h"
#include "runtime/base/result.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

// Fills in what is not known yet: files of the host are read, at most 1 MiB each.
std::vector<Error> load_files(spec::JailConfig& config);

void place_files(isolation::MountPlan& plan, const spec::JailConfig& config);

}  // namespace jaula::plan
