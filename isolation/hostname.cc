#include "isolation/hostname.h"

#include <errno.h>
#include <unistd.h>

namespace jaula::isolation {

Result<void> apply(const Hostname& names) noexcept {
  if (!names.host.empty() && ::sethostname(names.host.data(), names.host.size()) < 0)
    return Error(errno, "set host name ", names.host);
  return {};
}

}  // namespace jaula::isolation
