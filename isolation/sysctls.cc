#include "isolation/sysctls.h"

#include <fcntl.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

Result<void> write_one(const Sysctl& sysctl, int sys_directory) noexcept {
  open_how how{};
  how.flags = O_WRONLY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const Fd file = TRY(sys::openat2(sys_directory, sysctl.path.c_str(), how));
  return sys::write_once(file.get(), sysctl.value, sysctl.path);
}

}  // namespace

Result<void> apply(const std::vector<Sysctl>& sysctls, int proc) noexcept {
  if (sysctls.empty()) return {};
  const Fd directory = TRY(sys::openat(proc, "sys", O_PATH | O_DIRECTORY | O_NOFOLLOW));
  int index = 0;
  for (const Sysctl& sysctl : sysctls) {
    Result<void> written = write_one(sysctl, directory.get());
    if (!written) return written.error().in("sysctl ").at(index);
    ++index;
  }
  return {};
}

}  // namespace jaula::isolation
