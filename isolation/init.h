// PID 1 of a jail: starts the payload as its child, passes signals on, reaps what is orphaned, and
// ends as the payload ended. Runs inside, under the payload's own credentials and filter.
// pid_namespaces(7)
#pragma once

#include "isolation/payload.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

struct InitFds {
  int sync;    // closed once the payload runs; carries its error when it does not
  int status;  // takes the payload's wait status (an int) at its end
};

// Never returns once the payload runs: the process exits with the payload's code, or 128+n. An
// Error is that of execve.
Error run_as_init(const Payload& payload, const InitFds& fds) noexcept;

}  // namespace jaula::isolation
