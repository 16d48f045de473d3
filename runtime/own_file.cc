#include "runtime/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "runtime/base/file.h"
#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // 6.3
#endif

namespace jaula {
namespace {

constexpr const char* kOwnFile = "/proc/self/exe";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

// Root inside is whoever started jaula, or may be.
bool is_within_reach() {
  struct stat info;
  return ::geteuid() == 0 || ::access(kOwnFile, W_OK) == 0 ||
         (::stat(kOwnFile, &info) == 0 && info.st_uid == ::geteuid());
}

bool is_protected() {
  struct statvfs mount;
  if (::statvfs(kOwnFile, &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0) return true;
  const Result<Fd> file = sys::open(kOwnFile, O_RDONLY);
  return file && ::fcntl(file->get(), F_GET_SEALS) == kSeals;
}

Result<Fd> mount_read_only() {
  Fd mount = TRY(sys::clone_tree(AT_FDCWD, kOwnFile, 0));
  TRY(sys::mount_setattr(mount.get(), 0, MOUNT_ATTR_RDONLY, 0));
  return mount;
}

// For a user, who may not mount.
Result<Fd> make_sealed_copy() {
  const Fd file = TRY(sys::open(kOwnFile, O_RDONLY));
  const struct stat info = TRY(sys::fstat(file.get()));
  Fd copy(::memfd_create("jaula", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  if (!copy && errno == EINVAL) copy = Fd(::memfd_create("jaula", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) return Error(errno, "memfd_create: make a file in memory");
  for (off_t at = 0; at < info.st_size;)
    if (::sendfile(copy.get(), file.get(), &at, static_cast<std::size_t>(info.st_size - at)) <= 0)
      return Error(errno, "copy ", kOwnFile);
  if (::fcntl(copy.get(), F_ADD_SEALS, kSeals) < 0) return Error(errno, "seal a file in memory");
  return copy;
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

Result<void> go_on_from_protected_file() {
  const Fd file = TRY(::geteuid() == 0 ? mount_read_only() : make_sealed_copy());
  return execute_anew(file.get());
}

}  // namespace

Result<void> protect_own_file(const spec::JailConfig& config) {
  // Ids of the jail's own, which no file of the host belongs to.
  if (::geteuid() == 0 && config.extra.userns == spec::UserNamespace::Mode::kAuto) return {};
  return protect_own_file();
}

Result<void> protect_own_file() {
  if (!is_within_reach() || mutant("own file read-only")) return {};
  // A program that was executed by descriptor has no name of its own.
  if (is_protected())
    return sys::prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("jaula"), "PR_SET_NAME");
  Result<void> done = go_on_from_protected_file();
  Error error = done.error().in("keep jaula's own file from the jail: ");
  if (error.hint_text().empty())  // else it is of a call that this kernel has not
    error.hint(
        "install jaula on a file system that is mounted read-only, or, to start it as a user, "
        "where only root may write");
  return error;
}

}  // namespace jaula
