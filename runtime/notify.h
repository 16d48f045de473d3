// Tells the service manager how a service is doing. Parent side. sd_notify(3)
#pragma once

#include <string_view>

#include "runtime/base/result.h"

namespace jaula {

// Sends `state` ("READY=1") to $NOTIFY_SOCKET; without one there is nobody to tell.
Result<void> notify_manager(std::string_view state);

}  // namespace jaula
