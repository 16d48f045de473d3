// A session, a keyring and signal dispositions of the jail's own, so that nothing of the caller's
// terminal, keys or signal setup reaches the payload. Runs inside. setsid(2), keyrings(7)
#pragma once

#include "runtime/base/result.h"

namespace jaula::isolation {

// Also umask 0, until the credentials bring the payload's. An error of the kernel's keyring
// (EDQUOT) is one, for without a new one the caller's keys would be the jail's.
Result<void> enter_new_session() noexcept;

// SIGKILL for this process when the monitor dies. A change of credentials clears it (prctl(2)), so
// it is set after them.
Result<void> die_with_monitor() noexcept;

}  // namespace jaula::isolation
