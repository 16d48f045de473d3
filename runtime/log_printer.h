// Records of a log as people and pipes want them: the payload's own bytes, standard output and
// error each on its descriptor, in the order in which they were written. Parent side.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/log_record.h"

namespace jaula {

class LogPrinter {
 public:
  struct Options {
    int out_fd, err_fd;
    bool timestamps;
    bool escape_out, escape_err;  // descriptors that are terminals
  };
  explicit LogPrinter(const Options& options) : options_(options) {}
  // Keeps back up to 64 KiB; the errors of both are those of writing to a descriptor.
  Result<void> print(const LogRecord& record);
  Result<void> flush();

 private:
  [[nodiscard]] int fd_of(Stream stream) const {
    return stream == Stream::kStdout ? options_.out_fd : options_.err_fd;
  }
  void append_text(std::string_view text, bool escape);

  Options options_;
  std::string pending_;  // for pending_fd_
  int pending_fd_ = -1;
  bool inside_line_[2] = {};  // the parts of a line are joined
};

}  // namespace jaula
