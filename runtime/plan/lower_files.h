// What a service sees of files and names, to the words of a JailConfig: mounts, configs and
// secrets, hosts and resolvers. Pure; parent side.
#pragma once

#include "runtime/spec/jail_config.h"
#include "runtime/spec/service_spec.h"

namespace jaula::plan {

void lower_mounts(const spec::ServiceSpec& service, spec::JailConfig& config);
void lower_files(const spec::ServiceSpec& service, spec::JailConfig& config);  // after the user
void lower_names(const spec::ServiceSpec& service, spec::JailConfig& config);

}  // namespace jaula::plan
