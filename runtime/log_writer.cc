#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/log_files.h"
#include "runtime/log_store.h"

namespace jaula {
namespace {

constexpr std::size_t kBufferSize = 65536;
static_assert(kMaxLogRecord <= kBufferSize);

constexpr const char* kNextLog = "log.new";

// What the jail wrote of these records: of P all of the text, of F the newline too.
std::uint64_t payload_of(std::string_view records) {
  std::uint64_t payload = 0;
  while (!records.empty()) {
    const std::size_t size = records.find('\n') + 1;
    payload += size - kLogHeader - (records[kLogTag] == 'P' ? 1 : 0);
    records.remove_prefix(size);
  }
  return payload;
}

}  // namespace

Result<LogWriter> LogWriter::open(const std::string& directory, LogLimits limits) {
  TRY(make_directories(directory, 0700));
  LogWriter writer;
  writer.limits_ = limits;
  writer.directory_ = TRY(sys::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  writer.file_ = TRY(sys::openat(writer.directory_.get(), log_file_name(0).c_str(), kFlags, 0600));
  const struct stat info = TRY(sys::fstat(writer.file_.get()));
  if (!S_ISREG(info.st_mode)) return Error(EINVAL, "open ", directory, "/log: not a file");
  writer.file_size_ = static_cast<std::uint64_t>(info.st_size);
  writer.buffer_ = std::make_unique_for_overwrite<char[]>(kBufferSize);
  for (Unfinished& line : writer.unfinished_)
    line.text = std::make_unique_for_overwrite<char[]>(kMaxLogText);
  // A writer that was killed may have left half a line, which must not swallow our first.
  char last = '\n';
  if (info.st_size > 0 && ::pread(writer.file_.get(), &last, 1, info.st_size - 1) == 1 &&
      last != '\n')
    static_cast<void>(writer.write("\n"));
  return writer;
}

void LogWriter::append(Stream stream, std::string_view bytes) noexcept {
  stamp(stream);
  Unfinished& line = unfinished_[static_cast<std::size_t>(stream)];
  while (!bytes.empty()) {
    const void* newline = std::memchr(bytes.data(), '\n', bytes.size());
    if (newline == nullptr) break;
    const auto size = static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data());
    if (line.size == 0 && size <= kMaxLogText) {
      emit('F', bytes.substr(0, size));
    } else {
      take(line, bytes.substr(0, size));
      emit('F', {line.text.get(), std::exchange(line.size, 0)});
    }
    bytes.remove_prefix(size + 1);
  }
  take(line, bytes);
  flush();
}

void LogWriter::finish() noexcept {
  for (const Stream stream : {Stream::kStdout, Stream::kStderr}) {
    Unfinished& line = unfinished_[static_cast<std::size_t>(stream)];
    stamp(stream);
    if (line.size != 0) emit('P', {line.text.get(), std::exchange(line.size, 0)});
  }
  flush();
}

void LogWriter::stamp(Stream stream) noexcept {
  format_log_header(header_, rfc3339(now_nanoseconds()), stream);
}

void LogWriter::take(Unfinished& line, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (line.size == kMaxLogText) emit('P', {line.text.get(), std::exchange(line.size, 0)});
    const std::string_view part = bytes.substr(0, kMaxLogText - line.size);
    part.copy(line.text.get() + line.size, part.size());
    line.size += part.size();
    bytes.remove_prefix(part.size());
  }
}

void LogWriter::emit(char tag, std::string_view text) noexcept {
  const std::size_t size = kLogHeader + text.size() + 1;
  const std::uint64_t used = file_size_ + buffered_;
  const bool rotates = used != 0 && used + size > limits_.file_size;
  if (rotates || buffered_ + size > kBufferSize) flush();
  if (rotates) {
    const Result<void> rotated = rotate();
    // Beyond its size a file takes nothing, or the log would not be bounded.
    if (!rotated) {
      const std::uint64_t payload = text.size() + (tag == 'F' ? 1 : 0);
      lost_ += payload;
      untold_ += payload;
      loss_reason_ = rotated.error().code();
      return;
    }
  }
  char* at = buffer_.get() + buffered_;
  std::memcpy(at, header_, kLogHeader);
  at[kLogTag] = tag;
  std::memcpy(at + kLogHeader, text.data(), text.size());
  at[size - 1] = '\n';
  buffered_ += size;
}

void LogWriter::flush() noexcept {
  const std::string_view records(buffer_.get(), std::exchange(buffered_, 0));
  // In its place in the order of lines, or not at all.
  Result<void> written = report_loss();
  const std::uint64_t before = file_size_;
  if (written) written = write(records);
  if (written) return;
  const std::uint64_t payload = payload_of(records.substr(file_size_ - before));
  lost_ += payload;
  untold_ += payload;
  loss_reason_ = written.error().code();
}

// After an error file_size_ says how many of the records, whole ones, are in the file.
Result<void> LogWriter::write(std::string_view records) noexcept {
  std::size_t done = 0;
  while (done < records.size()) {
    const ssize_t wrote = ::write(file_.get(), records.data() + done, records.size() - done);
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
    if (wrote >= 0 || errno == EINTR) continue;
    const int reason = errno;
    // The part of a record that a full disk still took is taken back; this needs no space.
    const std::size_t whole = done == 0 ? 0 : records.rfind('\n', done - 1) + 1;
    file_size_ += whole;
    [[maybe_unused]] const int ignored = ::ftruncate(file_.get(), static_cast<off_t>(file_size_));
    return Error(reason, "write log");
  }
  file_size_ += done;
  return {};
}

Result<void> LogWriter::report_loss() noexcept {
  if (untold_ == 0) return {};
  char record[256];
  format_log_header(record, std::string_view(header_, kLogTime), Stream::kStderr);
  const Error reason(loss_reason_, "jaula: ", untold_, " bytes lost: ");
  std::size_t size = kLogHeader;
  for (const std::string_view part : {reason.text(), reason.reason(), std::string_view("\n")})
    size += part.copy(record + size, sizeof record - size);
  TRY(write({record, size}));
  untold_ = 0;
  return {};
}

Result<void> LogWriter::rotate() noexcept {
  const int dir = directory_.get();
  constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW;
  // Made first: without a new file the old ones keep their names.
  Fd next = TRY(sys::openat(dir, kNextLog, kFlags, 0600));
  for (int number = limits_.files - 1; number > 0; --number) {
    const std::string older = log_file_name(number - 1);
    if (::renameat(dir, older.c_str(), dir, log_file_name(number).c_str()) < 0 && errno != ENOENT)
      return Error(errno, "rename ", older);
  }
  if (::renameat(dir, kNextLog, dir, log_file_name(0).c_str()) < 0)
    return Error(errno, "rename log.new to log");
  file_ = std::move(next);
  file_size_ = 0;
  return {};
}

}  // namespace jaula
