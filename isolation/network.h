// The jail's own network namespace. Runs inside. network_namespaces(7), netdevice(7)
#pragma once

#include "runtime/base/result.h"

namespace jaula::isolation {

// A new network namespace is born with its loopback interface down.
Result<void> bring_loopback_up() noexcept;

}  // namespace jaula::isolation
