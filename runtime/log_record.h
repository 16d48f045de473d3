// One line of a log on disk, in the form of the Kubernetes container runtime interface:
//   2026-11-23T03:06:27.123456789Z stdout F text
// Its header has the same length in every line, so that times compare as text and the payload can
// be counted from the size of a line alone. Parent side.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace jaula {

enum class Stream : std::uint8_t { kStdout, kStderr };

constexpr std::size_t kLogTime = 30;
constexpr std::size_t kLogHeader = kLogTime + sizeof(" stdout F ") - 1;
constexpr std::size_t kLogTag = kLogHeader - 2;  // where F or P stands
constexpr std::size_t kMaxLogText = 16384;       // a longer line becomes several parts
constexpr std::size_t kMaxLogRecord = kLogHeader + kMaxLogText + 1;

struct LogRecord {
  std::string_view time;  // RFC 3339, UTC, nanoseconds
  Stream stream;
  bool full;  // F: the end of a line; P: more of it follows, or nothing
  std::string_view text;
};

// `line` without its newline; nullopt when it is no record.
std::optional<LogRecord> parse_log_record(std::string_view line);
// Writes kLogHeader bytes.
void format_log_header(char* header, std::string_view time, Stream stream);

}  // namespace jaula
