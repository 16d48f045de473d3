#include "runtime/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/tree.h"

namespace jaula {
namespace {

constexpr std::size_t kBlock = 65536;
static_assert(kMaxLogRecord <= kBlock);

Result<std::size_t> read_at(int file, char* to, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(file, to + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error(errno, "read log");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

// The offset after the last newline before `end`, 0 when there is none.
Result<std::uint64_t> after_newline(int file, std::uint64_t end, char* block) {
  while (end > 0) {
    const std::uint64_t begin = end - std::min<std::uint64_t>(end, kBlock);
    const std::size_t got = TRY(read_at(file, block, end - begin, begin));
    const std::size_t newline = std::string_view(block, got).rfind('\n');
    if (newline != std::string_view::npos) return begin + newline + 1;
    end = begin;
  }
  return 0;
}

// Of log and its predecessors, the oldest first.
Result<std::vector<int>> file_numbers(int directory) {
  std::vector<int> numbers;
  const std::vector<DirectoryEntry> entries = TRY(list_directory(directory, "log directory"));
  for (const DirectoryEntry& entry : entries) {
    if (entry.name == log_file_name(0)) numbers.push_back(0);
    if (!entry.name.starts_with("log.")) continue;
    const auto number = parse_decimal(std::string_view(entry.name).substr(4), 99'999);
    if (number && *number != 0) numbers.push_back(static_cast<int>(*number));
  }
  std::sort(numbers.begin(), numbers.end(), std::greater<>());
  return numbers;
}

Result<std::vector<LogFile>> open_all(int directory) {
  std::vector<LogFile> files;
  const std::vector<int> numbers = TRY(file_numbers(directory));
  for (const int number : numbers) {
    constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    Result<Fd> file = sys::openat(directory, log_file_name(number).c_str(), kFlags);
    if (!file && file.error().code() == ENOENT) continue;
    if (!file) return file.error();
    const struct stat info = TRY(sys::fstat(file->get()));
    if (S_ISREG(info.st_mode)) files.push_back({std::move(*file), info.st_ino});
  }
  return files;
}

ino_t youngest(int directory) {  // 0: there is none
  struct stat info;
  return ::fstatat(directory, "log", &info, AT_SYMLINK_NOFOLLOW) == 0 ? info.st_ino : 0;
}

}  // namespace

bool is_log_file(std::string_view name) {
  if (name == "log" || name == "log.new") return true;
  return name.starts_with("log.") && parse_decimal(name.substr(4), 99'999).has_value();
}

std::string log_file_name(int number) {
  return number == 0 ? "log" : "log." + std::to_string(number);
}

Result<std::vector<LogFile>> open_log_files(int directory) {
  // A rotation gives every file the name of another, so only what was opened while there was none
  // is in order. A writer that was killed in one may have left no `log`: that is not waited for.
  constexpr int kTries = 100;
  std::vector<LogFile> files;
  for (int tries = 0; tries < kTries; ++tries) {
    const ino_t before = youngest(directory);
    files = TRY(open_all(directory));
    if (before != 0 && youngest(directory) == before) break;
  }
  return files;
}

bool LogTail::belongs(std::string_view line) {
  const std::optional<LogRecord> record = parse_log_record(line);
  if (!record || window_.after(*record)) return true;
  const bool ends_line = record->full || !seen_[static_cast<std::size_t>(record->stream)];
  done_ = window_.before(*record) || (ends_line && left_ == 0);
  if (done_) return false;
  seen_[static_cast<std::size_t>(record->stream)] = true;
  if (ends_line) --left_;
  return true;
}

// `text` begins at offset `begin` of the file and ends with a newline. Takes its lines off from the
// back; false when one is met that does not belong to the tail. What is left of `text` then, or
// else, is what begins before it.
bool LogTail::take_lines(std::string_view& text, std::uint64_t begin) {
  while (!text.empty()) {
    const std::size_t newline = text.size() < 2 ? text.npos : text.rfind('\n', text.size() - 2);
    if (newline == text.npos && begin > 0) return true;
    const std::size_t start = newline + 1;  // npos + 1 is 0
    if (!belongs(text.substr(start, text.size() - 1 - start))) return false;
    text = text.substr(0, start);
  }
  return true;
}

Result<std::uint64_t> LogTail::start_in(int file) {
  const auto block = std::make_unique_for_overwrite<char[]>(kBlock);
  const struct stat info = TRY(sys::fstat(file));
  // The last record may be half written.
  std::uint64_t end =
      TRY(after_newline(file, static_cast<std::uint64_t>(info.st_size), block.get()));
  while (end > 0) {
    const std::uint64_t begin = end - std::min<std::uint64_t>(end, kBlock);
    const std::size_t got = TRY(read_at(file, block.get(), end - begin, begin));
    if (got != end - begin) return Error(EIO, "read log: it became shorter");
    std::string_view text(block.get(), got);
    if (!take_lines(text, begin)) return begin + text.size();
    end = begin + text.size();
    // Nothing was taken: a line longer than the block, no record of ours.
    if (text.size() == got) end = TRY(after_newline(file, begin, block.get()));
  }
  return 0;
}

LogCursor::LogCursor(LogFile file, std::uint64_t offset)
    : file_(std::move(file.file)),
      inode_(file.inode),
      offset_(offset),
      block_(std::make_unique_for_overwrite<char[]>(kBlock)) {}

Result<std::optional<LogRecord>> LogCursor::next() {
  for (;;) {
    const std::string_view rest(block_.get() + begin_, end_ - begin_);
    const std::size_t size = rest.find('\n');
    if (size != rest.npos) {
      begin_ += size + 1;
      const auto record =
          std::exchange(overlong_, false) ? std::nullopt : parse_log_record(rest.substr(0, size));
      if (record) return record;
      ++damaged_;
      continue;
    }
    if (rest.size() >= kMaxLogRecord) {
      overlong_ = true;
      begin_ = end_;
    }
    const bool more = TRY(fill());
    if (!more) return std::optional<LogRecord>();
  }
}

Result<bool> LogCursor::fill() {
  std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
  end_ -= std::exchange(begin_, 0);
  ssize_t got;
  do got = ::pread(file_.get(), block_.get() + end_, kBlock - end_, static_cast<off_t>(offset_));
  while (got < 0 && errno == EINTR);
  if (got < 0) return Error(errno, "read log");
  offset_ += static_cast<std::uint64_t>(got);
  end_ += static_cast<std::size_t>(got);
  return got > 0;
}

}  // namespace jaula
