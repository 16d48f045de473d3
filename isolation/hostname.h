// The jail's UTS names. Runs inside. uts_namespaces(7)
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct Hostname {
  std::string host;  // empty: left alone
};

// EPERM without a UTS namespace of the jail's own; EINVAL above 64 bytes. sethostname(2)
Result<void> apply(const Hostname& names) noexcept;

}  // namespace jaula::isolation
