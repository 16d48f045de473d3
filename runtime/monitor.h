// Watches one process of ours until it ends: pumps its output, passes signals on, keeps its time
// limit, and says how it ended. Sleeps in poll(2) all the while. Parent side.
#pragma once

#include <chrono>
#include <optional>

#include "runtime/base/result.h"
#include "runtime/launch.h"
#include "runtime/stdio.h"

namespace jaula {

class DenialRecorder;

struct Watch {
  // Of the ladder, which a time limit or SIGTERM begins.
  int stop_signal = 0;
  std::chrono::milliseconds grace{};
  std::optional<std::chrono::milliseconds> time_limit = {};
  // SIGTERM to us starts the stop ladder instead of being passed on: when we are a service's main
  // process, or a monitor that the system is shutting down.
  bool terminate_stops = false;
  // The last rung: everything that belongs to the jail dies.
  Result<void> (*kill_all)(void* context) = nullptr;
  void* context = nullptr;
  DenialRecorder* denials = nullptr;  // none: no call is reported
};

struct Ended {
  int code = 0;    // the payload's own, or 128+n
  int signal = 0;  // that ended it
  bool time_limit = false;
  bool terminated = false;  // because SIGTERM reached us
};

// Signals that are passed on must be blocked before the process is started, so that none is lost.
Result<Fd> block_signals() noexcept;

// Returns when the process has ended and been reaped, and its output is where it belongs. An Error
// is one of poll, of a timer or of a signal: the process may live then, and its owner kills it.
Result<Ended> watch(Launched& process, Stdio& stdio, const Fd& signals, const Watch& watch);

}  // namespace jaula
