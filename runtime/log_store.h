// What a detached jail wrote, kept with time stamps, standard output and error apart, bounded by
// rotation: log, log.1 (older), log.2 … in the jail's log directory. The lines on disk are
// described in log_record.h. LogWriter runs in the monitor, read_log in `jaula logs`. Parent side.
// inotify(7)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/log_record.h"

namespace jaula {

struct LogLimits {
  std::uint64_t file_size = std::uint64_t{10} << 20;
  int files = 3;  // log, log.1, log.2
};

// Nothing is allocated per line, and a line that is longer than kMaxLogText is not kept in memory.
class LogWriter {
 public:
  // Makes the directory (0700), or goes on where an earlier writer stopped.
  static Result<LogWriter> open(const std::string& directory, LogLimits limits);

  // Takes bytes as they were read from the pipe; all whole lines of a call have its time. A write
  // that fails (a full disk) loses the bytes; they are counted, and the count is written as a line
  // of its own as soon as it can be.
  void append(Stream stream, std::string_view bytes) noexcept;
  void finish() noexcept;  // the unfinished lines, as P
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  // The beginning of a line whose end has not come yet.
  struct Unfinished {
    std::unique_ptr<char[]> text;
    std::size_t size = 0;
  };
  void stamp(Stream stream) noexcept;
  void take(Unfinished& line, std::string_view bytes) noexcept;
  void emit(char tag, std::string_view text) noexcept;
  void flush() noexcept;
  Result<void> write(std::string_view records) noexcept;
  Result<void> report_loss() noexcept;
  Result<void> rotate() noexcept;

  LogLimits limits_;
  Fd directory_, file_;
  std::uint64_t file_size_ = 0;
  std::unique_ptr<char[]> buffer_;  // whole records that are not written yet
  std::size_t buffered_ = 0;
  Unfinished unfinished_[2];
  char header_[kLogHeader];
  std::uint64_t lost_ = 0;    // bytes of the jail
  std::uint64_t untold_ = 0;  // of these, without a line that says so
  int loss_reason_ = 0;       // errno
};

struct LogQuery {
  bool follow = false;
  std::optional<std::uint64_t> tail = {};  // lines, of those that since and until let through
  std::optional<std::int64_t> since = {};  // nanoseconds since the epoch
  std::optional<std::int64_t> until = {};  // with follow: ends then
  bool timestamps = false;
  bool escape_out = false, escape_err = false;  // a terminal, which foreign bytes must not drive
  int end_pidfd = -1;  // follow ends when this process has ended and all is read
};
// Writes stdout's lines to out_fd and stderr's to err_fd.
Result<void> read_log(const std::string& directory, const LogQuery& query, int out_fd, int err_fd);

}  // namespace jaula
