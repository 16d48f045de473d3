#include "isolation/lsm_label.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

Result<void> require_procfs(int proc) noexcept {
  constexpr ino_t kRoot = 1;  // PROC_ROOT_INO
  struct statfs system;
  if (::fstatfs(proc, &system) < 0) return Error(errno, "look at /proc");
  const struct stat info = TRY(sys::fstat(proc));
  if (system.f_type == PROC_SUPER_MAGIC && info.st_ino == kRoot) return {};
  return Error(0, "what is on /proc is not the root of a procfs");
}

Result<void> write_one(const LsmLabel& label, int proc) noexcept {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const Error number(0, ::getpid());
  char pid[16] = {};
  number.text().copy(pid, sizeof pid - 1);
  const Fd process = TRY(sys::openat2(proc, pid, how));
  how.flags = O_WRONLY;
  const Fd file = TRY(sys::openat2(process.get(), label.file.c_str(), how));
  return sys::write_once(file.get(), label.text, label.file);
}

}  // namespace

Result<void> apply(const std::vector<LsmLabel>& labels, int proc) noexcept {
  if (labels.empty()) return {};
  TRY(require_procfs(proc));
  for (const LsmLabel& label : labels) {
    Result<void> written = write_one(label, proc);
    if (written) continue;
    Error& error = written.error();
    if (error.code() == ENOENT)
      error.hint("no such profile is loaded: `aa-status` lists them, `apparmor_parser` loads one");
    if (error.code() == EINVAL) error.hint("the loaded policy has no such context");
    if (error.code() == EACCES || error.code() == EPERM)
      error.hint("the policy does not let jaula itself go over to it");
    return label.origin.empty() ? error.in(label.text, ": ")
                                : error.in(label.origin, ": ", label.text, ": ");
  }
  return {};
}

}  // namespace jaula::isolation
