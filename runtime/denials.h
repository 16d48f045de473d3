// System calls that the filter denies, as the kernel reports them to the jail's monitor (or to the
// `exec` whose process it is): answered with EPERM, and counted in a table in the jail's record.
// A call that is allowed costs nothing; nothing is made before the first denial. Parent side.
// seccomp_unotify(2)
//
// What is in the jail decides the numbers in a report, never what is done: registers are kept as
// they are, the jail's memory is not read, and the answer is one constant.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace jaula {

// Of one system call, all processes of the jail together.
struct Denial {
  int number = 0;
  std::uint64_t count = 0;
  std::int64_t first = 0, last = 0;          // nanoseconds since the epoch
  std::array<std::uint64_t, 6> arguments{};  // the last call's registers, used or not
  int pid = 0;                               // its thread, as the host numbers it
  std::string process = {};                  // its name, bytes of the jail's choice
};

struct Denials {
  std::vector<Denial> calls;  // in the order in which they came first
  std::uint64_t others = 0;   // of calls that the table has no room for
  bool reported = true;       // false: this kernel told nothing, for the reason docs/spec.md has
};

// What a jail's record has; empty where nothing was denied.
Denials read_denials(int directory);
// For the record of a jail whose filter should report and does not.
void record_unreported(int directory) noexcept;

// How many reports are taken: a jail that does nothing but denied calls waits for its answers,
// rather than have the monitor, which none of its limits binds, work for it without a bound.
class Allowance {
 public:
  static constexpr std::int64_t kPeriod = 100'000'000;  // ns
  static constexpr unsigned kReports = 1000;            // in a period
  void take(std::int64_t now) noexcept;
  // How long to take none, 0: not at all. Nanoseconds.
  [[nodiscard]] std::int64_t pause(std::int64_t now) const noexcept;

 private:
  std::int64_t begin_ = 0;
  unsigned taken_ = 0;
};

struct DenialTable;

// Takes the reports of one listener. What cannot be recorded is answered all the same.
class DenialRecorder {
 public:
  // Both stay the caller's. `listener` may be -1: nothing is reported.
  DenialRecorder(int listener, int directory) noexcept
      : listener_(listener), directory_(directory) {}
  DenialRecorder(const DenialRecorder&) = delete;
  DenialRecorder& operator=(const DenialRecorder&) = delete;
  ~DenialRecorder();

  // The descriptor to wait for, -1 when none is; then how long, in ms, until there is one again, or
  // -1.
  int wanted(int& pause) const noexcept;
  void step(short revents) noexcept;

 private:
  int listener_, directory_;
  Allowance allowance_;
  DenialTable* table_ = nullptr;  // shared with other processes
};

}  // namespace jaula
