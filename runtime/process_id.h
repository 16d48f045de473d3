// A process named so that a recycled pid is never taken for it. Parent side.
// proc(5) (/proc/PID/stat, /proc/sys/kernel/random/boot_id), pidfd_open(2)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula {

struct ProcessId {
  int pid = 0;
  std::uint64_t start_time = 0;  // field 22 of /proc/PID/stat, clock ticks since boot
};

Result<ProcessId> process_id(int pid);
// Whether the process has not ended (a zombie has) and its pid is not another's. Holds for ids of
// this boot alone: compare the boot id first.
bool is_alive(const ProcessId& id);
// A pidfd of the process if it is alive. To look is_alive() is enough; to act a pidfd is needed. An
// error when that cannot be found out, for want of descriptors or of the call: not a death.
Result<std::optional<Fd>> open_process(const ProcessId& id);
// Sleeps until the process has ended; false when the time is over first. pidfd_open(2)
Result<bool> wait_for_end(const Fd& pidfd, std::optional<std::chrono::milliseconds> timeout);

const std::string& boot_id();  // of the running kernel, a UUID

// What /proc/PID/stat says: the state letter and the start time.
struct ProcessStat {
  char state;
  std::uint64_t start_time;
};
std::optional<ProcessStat> parse_process_stat(std::string_view text);

}  // namespace jaula
