// What is recorded of one jail, and its JSON. Parent side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/process_id.h"
#include "runtime/spec/jail_config.h"

namespace jaula {

enum class Status : std::uint8_t { kRunning, kExited };

// How the payload ended.
enum class EndReason : std::uint8_t { kExited, kSignal, kOom, kTimeLimit, kStopped, kMonitorLost };

struct Exit {
  int code = 0;    // what `jaula run` exits with: the payload's own, 128+n, 124
  int signal = 0;  // that ended it, 0: none
  EndReason reason = EndReason::kExited;
  std::string detail = {};  // "oom: memory.max 64 MiB reached"
  std::int64_t at = 0;      // nanoseconds since the epoch
};

struct JailState {
  std::string name;
  Status status = Status::kRunning;
  std::string boot_id;
  ProcessId monitor;
  ProcessId init;             // PID 1 of the jail; pid 0 before it exists
  std::int64_t created = 0;   // nanoseconds since the epoch
  std::string cgroup;         // absolute path; empty: the jail has none
  std::uint32_t id_base = 0;  // first host id of its range; 0: none taken
  bool detached = false;
  bool remove_at_exit = false;        // --rm
  std::vector<std::string> degraded;  // what the host could not give
  spec::JailConfig config;
  std::optional<Exit> exit;
};

// One object, a member for each field. Reading it back is strict: an Error names the member that is
// missing, unknown or of another type, as a dotted path.
std::string to_json(const JailState& state);
Result<JailState> state_from_json(std::string_view text);
std::string to_json(const Exit& exit);
Result<Exit> exit_from_json(std::string_view text);

}  // namespace jaula
