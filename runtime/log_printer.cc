#include "runtime/log_printer.h"

#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula {
namespace {

constexpr std::size_t kPending = 65536;

}  // namespace

Result<void> LogPrinter::print(const LogRecord& record) {
  const int fd = fd_of(record.stream);
  // Two descriptors may be one terminal: what is pending for the other comes first.
  if (fd != pending_fd_ || pending_.size() >= kPending) TRY(flush());
  pending_fd_ = fd;
  bool& inside = inside_line_[static_cast<std::size_t>(record.stream)];
  if (options_.timestamps && !inside) pending_.append(record.time).append(" ");
  append_text(record.text,
              record.stream == Stream::kStdout ? options_.escape_out : options_.escape_err);
  if (record.full) pending_ += '\n';
  inside = !record.full;
  return {};
}

void LogPrinter::append_text(std::string_view text, bool escape) {
  if (!escape) {
    pending_.append(text);
    return;
  }
  // A tab only moves the cursor on; tables without it cannot be read.
  for (;;) {
    const std::size_t tab = text.find('\t');
    pending_ += escaped(text.substr(0, tab));
    if (tab == text.npos) return;
    pending_ += '\t';
    text.remove_prefix(tab + 1);
  }
}

Result<void> LogPrinter::flush() {
  TRY(sys::write_all(pending_fd_, pending_,
                     pending_fd_ == options_.out_fd ? "standard output" : "standard error"));
  pending_.clear();
  return {};
}

}  // namespace jaula
