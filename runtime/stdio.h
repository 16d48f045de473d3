// Where the payload's standard input and output go: descriptors of the caller's as they are, pipes
// that we pump, or a pty. A terminal of the caller's is never handed in: what is inside could read
// its keys and push input into it (CVE-2017-5226). Parent side.
#pragma once

#include <sys/ioctl.h>
#include <termios.h>

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "isolation/fds.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/log_store.h"

namespace jaula {

struct StdioOptions {
  bool detached = false;     // output goes to the log, input is /dev/null
  bool interactive = false;  // -i: pass standard input on
  bool terminal = false;     // -t
};

// Bytes on their way from one descriptor to another, or into the log. A pump holds at most one
// buffer: when the taker is slow the giver waits, as with a pipe.
class Pump {
 public:
  // `own` is the end that belongs to the pump; it is closed when the giver has ended.
  Pump(int from, int to, Fd own) : from_(from), to_(to), own_(std::move(own)) {}
  Pump(int from, LogWriter& log, Stream stream, Fd own)
      : from_(from), own_(std::move(own)), log_(&log), stream_(stream) {}

  // What to poll for next; fd -1 when there is nothing to do.
  [[nodiscard]] int wanted(short& events) const noexcept;
  void step() noexcept;  // after poll said it is ready
  // The payload has ended: takes what is left of its output. False when `enough` became readable
  // first, or when the taker took nothing for `patience` (ms, -1: for ever).
  bool drain(int enough, int patience) noexcept;
  [[nodiscard]] int from() const noexcept { return from_; }
  [[nodiscard]] bool taker_is_gone() const noexcept { return taker_is_gone_; }

 private:
  void fill() noexcept;
  void flush() noexcept;
  void end() noexcept;
  void end_terminal_input() const noexcept;

  int from_ = -1;
  int to_ = -1;
  Fd own_;
  LogWriter* log_ = nullptr;
  Stream stream_ = Stream::kStdout;
  bool taker_is_gone_ = false;
  char last_ = '\n';  // byte of what was taken
  std::size_t used_ = 0, written_ = 0;
  std::unique_ptr<std::array<char, 32768>> buffer_ =
      std::make_unique_for_overwrite<std::array<char, 32768>>();
};

class Stdio {
 public:
  static Result<Stdio> make(const StdioOptions& options, LogWriter* log);
  // Of a detached jail that another image of this process has started.
  static Result<Stdio> resume(LogWriter& log, Fd out, Fd err, const Fd& terminal_master);
  Stdio(Stdio&&) = default;
  Stdio(const Stdio&) = delete;
  Stdio& operator=(const Stdio&) = delete;
  Stdio& operator=(Stdio&&) = delete;
  ~Stdio();  // gives the caller's terminal its mode back

  [[nodiscard]] isolation::StandardFds child_ends() const noexcept;
  // The child has its ends: closes ours of them, and takes the pty's master if there is one.
  Result<void> started(const Fd& terminal_master);
  void resize(const Fd& terminal_master) const noexcept;  // SIGWINCH

  [[nodiscard]] std::vector<Pump>& pumps() noexcept { return pumps_; }
  // Our ends of a detached jail's stdout and stderr; -1 with a terminal.
  [[nodiscard]] std::pair<int, int> log_sources() const noexcept;

 private:
  explicit Stdio(const StdioOptions& options, LogWriter* log) : options_(options), log_(log) {}
  Result<void> make_input();
  Result<int> make_output(int number, Stream stream, Fd& child_end);
  int taker(std::size_t number);

  StdioOptions options_;
  LogWriter* log_;
  std::array<Fd, 3> child_;  // ours to close; -1: the caller's own is used
  std::array<int, 3> given_ = {0, 1, 2};
  std::array<Fd, 3> terminals_;  // the caller's, opened anew so as not to block
  Result<void> hold_open(const Fd& terminal_master);

  std::vector<Pump> pumps_;
  Fd terminal_slave_;  // a pty that nobody else holds at the moment has not ended. pty(7)
  std::optional<termios> mode_before_;
};

winsize terminal_size_of_caller();

}  // namespace jaula
