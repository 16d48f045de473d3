#include "runtime/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "runtime/base/file.h"
#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

namespace jaula {
namespace {

constexpr const char* kOwnFile = "/proc/self/exe";

Result<bool> is_read_only() {
  struct statvfs mount;
  if (::statvfs(kOwnFile, &mount) < 0) return Error(errno, "look at ", kOwnFile);
  return (mount.f_flag & ST_RDONLY) != 0;
}

Result<void> execute_anew(int file) {
  std::string words = TRY(read_file("/proc/self/cmdline"));  // each ends with a NUL
  std::vector<char*> arguments;
  for (std::size_t at = 0; at < words.size(); at = words.find('\0', at) + 1)
    arguments.push_back(words.data() + at);
  arguments.push_back(nullptr);
  ::execveat(file, "", arguments.data(), environ, AT_EMPTY_PATH);
  return Error(errno, "execute ", kOwnFile);
}

}  // namespace

Result<void> protect_own_file(const spec::JailConfig& config) {
  if (config.extra.userns == spec::UserNamespace::Mode::kAuto) return {};  // its ids own nothing
  return protect_own_file();
}

Result<void> protect_own_file() {
  if (::geteuid() != 0 || mutant("own file read-only")) return {};
  const bool done = TRY(is_read_only());
  // A program that was executed by descriptor has no name of its own.
  if (done) return sys::prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("jaula"), "PR_SET_NAME");
  Result<Fd> mount = sys::clone_tree(AT_FDCWD, kOwnFile, 0);
  if (!mount)
    return mount.error()
        .in("keep jaula's own file from the jail: ")
        .hint(
            "install jaula on a file system that is mounted read-only, or leave `userns_mode: "
            "host` out");
  TRY(sys::mount_setattr(mount->get(), 0, MOUNT_ATTR_RDONLY, 0));
  return execute_anew(mount->get());
}

}  // namespace jaula
