// PID 1 of a jail: starts the payload as its child, passes signals on, reaps what is orphaned, and
// ends as the payload ended. Runs inside, under the payload's own credentials and filter; or, where
// the payload brings a filter of its own, under another.
// Without a pid namespace of its own it is a subreaper: what is orphaned comes to it all the same.
// pid_namespaces(7), PR_SET_CHILD_SUBREAPER(2const)
#pragma once

#include <cstdint>

#include "isolation/payload.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

// Where it stands: PID 1 of a namespace of its own, in that of another jail, or in the host's.
enum class InitPlace : std::uint8_t { kFirst, kAmongOthers, kHost };

struct InitFds {
  int sync;    // closed once the payload runs
  int status;  // takes the payload's wait status (an int) at its end
  InitPlace place = InitPlace::kFirst;
  ListenerTaker taker = {};
};

// Tells the parent, through `sync`, why the payload could not be executed, and exits.
using Report = void (*)(int sync, const Error& error) noexcept;

// The process exits with the payload's code, or 128+n. An Error means that it could not even be
// forked. `filter` goes in when the payload runs.
Error run_as_init(const Payload& payload, const SeccompFilter& filter, const InitFds& fds,
                  Report report) noexcept;

}  // namespace jaula::isolation
