// The files of a log as a reader finds them while a writer rotates them. Parent side.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/log_record.h"

namespace jaula {

// Whether a log writer makes files of this name: log, log.1, log.new.
bool is_log_file(std::string_view name);

std::string log_file_name(int number);  // log, log.1, log.2: the higher the older

struct LogFile {
  Fd file;
  ino_t inode = 0;
};
Result<std::vector<LogFile>> open_log_files(int directory);  // the oldest first

// Times as they stand in records, "" for no bound.
struct LogWindow {
  std::string since, until;
  [[nodiscard]] bool before(const LogRecord& record) const { return record.time < since; }
  [[nodiscard]] bool after(const LogRecord& record) const {
    return !until.empty() && record.time > until;
  }
};

// Walks a log backwards, a block at a time, to find where its last lines begin.
class LogTail {
 public:
  LogTail(std::uint64_t lines, const LogWindow& window) : left_(lines), window_(window) {}
  // The offset in the file from which on everything belongs to the tail. Younger files go first;
  // when this is 0 an older one may have more of it, unless done().
  Result<std::uint64_t> start_in(int file);
  [[nodiscard]] bool done() const { return done_; }

 private:
  bool belongs(std::string_view line);
  bool take_lines(std::string_view& text, std::uint64_t begin);

  std::uint64_t left_;
  LogWindow window_;
  bool seen_[2] = {};  // a record of the stream: a P before it is no line of its own
  bool done_ = false;
};

// Reads the records of one file from its beginning on, as far as it has been written.
class LogCursor {
 public:
  LogCursor(LogFile file, std::uint64_t offset);
  [[nodiscard]] ino_t inode() const { return inode_; }
  // The next record, valid until the next call; nullopt at the present end of the file, where half
  // a line may stand that is being written. Lines that are no records are counted and passed over.
  Result<std::optional<LogRecord>> next();
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

 private:
  Result<bool> fill();

  Fd file_;
  ino_t inode_;
  std::uint64_t offset_;
  std::unique_ptr<char[]> block_;
  std::size_t begin_ = 0, end_ = 0;  // what was read of the file and not yet handed out
  bool overlong_ = false;            // inside a line that is longer than any record
  std::uint64_t damaged_ = 0;
};

}  // namespace jaula
