#include "runtime/exit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula {
namespace {

constexpr const char* kName = "exit";
constexpr std::size_t kSize = 1024;

}  // namespace

bool is_record(int directory, const std::string& name) {
  return ::faccessat(directory, (name + '/' + kName).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<Fd> make_exit_file(int directory) {
  Fd file = TRY(sys::openat(directory, kName, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  Result<void> blank = sys::write_all(file.get(), std::string(kSize, ' '), kName);
  if (blank) return file;
  ::unlinkat(directory, kName, 0);
  return blank.error();
}

Result<Fd> open_exit_file(int directory) {
  return sys::openat(directory, kName, O_RDWR | O_NOFOLLOW);
}

Result<void> write_exit(int file, const Exit& exit) {
  Exit fitting = exit;
  std::string text = to_json(fitting);
  while (text.size() >= kSize) {
    fitting.detail.resize(fitting.detail.size() / 2);
    text = to_json(fitting);
  }
  text.resize(kSize, ' ');
  text.back() = '\n';
  ssize_t wrote;
  do wrote = ::pwrite(file, text.data(), text.size(), 0);
  while (wrote < 0 && errno == EINTR);
  if (wrote < 0) return Error(errno, "write ", kName);
  if (static_cast<std::size_t>(wrote) != text.size()) return Error(ENOSPC, "write ", kName);
  return {};
}

std::optional<Exit> read_exit(int file) {
  char text[kSize];
  ssize_t got;
  do got = ::pread(file, text, sizeof text, 0);
  while (got < 0 && errno == EINTR);
  const std::string_view record =
      trim(std::string_view(text, got < 0 ? 0 : static_cast<std::size_t>(got)));
  if (record.empty()) return std::nullopt;
  // A record that is being written has no closing brace yet.
  Result<Exit> exit = exit_from_json(record);
  if (!exit) return std::nullopt;
  return std::move(*exit);
}

}  // namespace jaula
