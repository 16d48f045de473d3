// Ending jails and clearing what is left of them. Every function may be called again after any
// failure or crash: the cgroup, and the directory's name, say what is still to be done. Parent
// side.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "runtime/base/result.h"
#include "runtime/state_store.h"

namespace jaula {

// What a jail is in truth: the record as far as it can be read, corrected by looking.
struct Seen {
  JailDirectory directory = {};
  std::optional<JailState> state = {};  // nullopt: only the name, or a record that is not readable
  // Why it is not readable: torn, or of a newer jaula. Only `rm -f` touches such a jail.
  std::optional<Error> unreadable = {};
  bool running = false;    // its PID 1 lives
  bool monitored = false;  // its monitor lives
};
Result<Seen> look_at(const StateStore& store, const std::string& name);

struct StopOptions {
  std::optional<std::chrono::milliseconds> grace;  // unset: the spec's
  bool keep = false;                               // leave the record and the log
};
// The stop signal, the grace period, then SIGKILL to the whole tree; afterwards nothing of the jail
// is left but, with `keep`, its record.
Result<void> stop_jail(const StateStore& store, const std::string& name,
                       const StopOptions& options);

// A signal for the payload, or with `all` for every process of the jail.
Result<void> signal_jail(const StateStore& store, const std::string& name, int signal, bool all);

// Deletes what is left of a jail that has ended; with `force` ends it first. With `force` it works
// from the name alone.
Result<void> remove_jail(const StateStore& store, const std::string& name, bool force);

// Makes way for a new jail of this name: succeeds when no jail runs under it any more.
Result<void> clear_remains(const StateStore& store, const std::string& name);

// Clears what killed launchers and monitors left, of every jail. Errors are only debug messages.
void sweep(const StateStore& store);

// Whether `stop` was called on it, for the record of its end.
bool stop_was_asked(const JailDirectory& directory) noexcept;

}  // namespace jaula
