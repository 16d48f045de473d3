// A jail from the moment its payload runs to its end. Parent side.
//
// In the foreground the process that started the jail watches it. The monitor of a detached jail
// starts as that process does, and then becomes a fresh image of this program that knows no more
// than the record and its descriptors: what the start has read, the environment and the secrets
// among it, does not stay in memory for as long as the service runs.
#pragma once

#include <optional>
#include <string>

#include "cgroups/cgroup.h"
#include "runtime/launch.h"
#include "runtime/monitor.h"
#include "runtime/state_store.h"
#include "runtime/stdio.h"

namespace jaula {

struct Running {
  Running() = default;
  Running(const Running&) = delete;  // the pumps of stdio point to log
  Running& operator=(const Running&) = delete;
  ~Running() = default;

  JailDirectory directory;
  JailState state;
  cgroups::Cgroup cgroup;
  std::optional<LogWriter> log;
  std::optional<Stdio> stdio;
  Fd signals;
  std::optional<Launched> process;
};

// Watches until the payload has ended. `unit`: we are the main process of a systemd service.
Result<Ended> watch(Running& jail, bool unit);
// Nothing of the jail lives or stands afterwards but, of a detached one, record and log.
Result<Exit> bury(Running& jail, const Ended& ended);

// Executes this program anew as the monitor of a detached jail. Returns when that is not possible.
Error become_monitor(const Running& jail, const Roots& roots);
// The other side of it: `jaula monitor NAME RUN DATA PIDFD STATUS OUT ERR TERMINAL LISTENER`.
Result<void> resume_monitor(const std::vector<std::string>& words);

}  // namespace jaula
