#include "runtime/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/sys.h"

namespace jaula {

Result<std::string> read_fd(int fd, std::string_view name, std::size_t max) {
  std::string bytes;
  for (std::size_t used = 0;;) {
    bytes.resize(std::max<std::size_t>(4096, used * 2));
    const ssize_t got = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error(errno, "read ", name);
    used += static_cast<std::size_t>(got);
    if (used > max) return Error(EFBIG, "read ", name).hint("the limit is ", max, " bytes");
    if (got == 0) {
      bytes.resize(used);
      return bytes;
    }
  }
}

Result<std::string> read_file_at(int dir, const std::string& path, std::size_t max) {
  // NONBLOCK: a FIFO in the place of the file must not hold us.
  const Fd file = TRY(sys::openat(dir, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  return read_fd(file.get(), path, max);
}

Result<std::string> read_file(const std::string& path, std::size_t max) {
  return read_file_at(AT_FDCWD, path, max);
}

std::string read_or_empty(const std::string& path, std::size_t max) {
  Result<std::string> text = read_file(path, max);
  return text ? std::move(*text) : std::string();
}

Result<void> replace_file_at(int dir, const std::string& name, std::string_view bytes) {
  const std::string temporary = name + ".new";
  Result<void> written = [&]() -> Result<void> {
    const Fd file = TRY(sys::openat(dir, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    TRY(sys::write_all(file.get(), bytes, name));
    if (::renameat(dir, temporary.c_str(), dir, name.c_str()) < 0)
      return Error(errno, "rename ", temporary, " to ", name);
    return {};
  }();
  if (!written) ::unlinkat(dir, temporary.c_str(), 0);
  return written;
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return Error(errno, "make directory ", path);
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos || slash == 0) return Error(ENOENT, "make directory ", path);
  TRY(make_directories(path.substr(0, slash), mode));
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST)
    return Error(errno, "make directory ", path);
  return {};
}

}  // namespace jaula
