// Which namespaces of others a new jail enters: opened before anything is made of it, and held, so
// that what was checked is what is entered. Parent side. setns(2), ioctl_nsfs(2)
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/child.h"
#include "runtime/spec/jail_config.h"
#include "runtime/state_store.h"

namespace jaula {

// For each namespace of the configuration that has a path: PID 1 of the jail that it names, or the
// file of nsfs. One that is the host's is refused, for the host's is not prepared for as another's.
Result<std::vector<JoinTarget>> open_namespaces(const StateStore& store,
                                                const spec::JailConfig& config);

}  // namespace jaula
