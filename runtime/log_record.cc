#include "runtime/log_record.h"

#include <algorithm>

namespace jaula {
namespace {

constexpr std::string_view kStreams[] = {" stdout ", " stderr "};

// The shape "dddd-dd-ddTdd:dd:dd.dddddddddZ".
bool is_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00.000000000Z";
  static_assert(kShape.size() == kLogTime);
  return std::equal(kShape.begin(), kShape.end(), text.begin(), text.end(),
                    [](char shape, char byte) {
                      return shape == '0' ? byte >= '0' && byte <= '9' : byte == shape;
                    });
}

}  // namespace

std::optional<LogRecord> parse_log_record(std::string_view line) {
  if (line.size() < kLogHeader || line.size() >= kMaxLogRecord) return std::nullopt;
  const std::string_view time = line.substr(0, kLogTime);
  const std::string_view stream = line.substr(kLogTime, kStreams[0].size());
  const char tag = line[kLogTag];
  const bool is_stream = stream == kStreams[0] || stream == kStreams[1];
  if (!is_time(time) || !is_stream || (tag != 'F' && tag != 'P') || line[kLogTag + 1] != ' ')
    return std::nullopt;
  return LogRecord{.time = time,
                   .stream = stream == kStreams[0] ? Stream::kStdout : Stream::kStderr,
                   .full = tag == 'F',
                   .text = line.substr(kLogHeader)};
}

void format_log_header(char* header, std::string_view time, Stream stream) {
  char* at = std::copy_n(time.data(), kLogTime, header);
  at = std::ranges::copy(kStreams[static_cast<std::size_t>(stream)], at).out;
  std::ranges::copy(std::string_view("F "), at);
}

}  // namespace jaula
