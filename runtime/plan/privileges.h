// What a payload may do beyond what its user may: capabilities, `privileged`, labels, personality.
// ServiceSpec -> JailConfig. Parent side. capabilities(7)
#pragma once

#include <vector>

#include "runtime/base/error.h"
#include "runtime/spec/jail_config.h"
#include "runtime/spec/service_spec.h"

namespace jaula::plan {

// Before what depends on it: the filter, no_new_privs, the masks.
void lower_privileged(const spec::ServiceSpec& service, spec::JailConfig& config,
                      std::vector<Error>& problems);
// After the user and the profile of the filter.
void lower_capabilities(const spec::ServiceSpec& service, spec::JailConfig& config);
void lower_labels(const spec::ServiceSpec& service, spec::JailConfig& config);
void lower_execution(const spec::ServiceSpec& service, spec::JailConfig& config);

// Of another user in the jail: nothing that the jail's own does not have, and without uid 0 none of
// what root has.
void limit_capabilities(spec::JailConfig& config, std::uint32_t uid);

}  // namespace jaula::plan
