#include "isolation/copy_up.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

// The root of an overlay looks like its upper directory.
Result<void> set_owner(const CopyUp& copy, int tmpfs) noexcept {
  const struct stat lower = TRY(sys::fstat(copy.directory));
  const struct stat own = TRY(sys::fstat(tmpfs));
  const Fd upper = TRY(sys::openat(tmpfs, "upper", O_RDONLY | O_DIRECTORY));
  const uid_t uid = copy.keep_uid ? own.st_uid : lower.st_uid;
  const gid_t gid = copy.keep_gid ? own.st_gid : lower.st_gid;
  // EINVAL: an id that the jail does not have; it stays root's.
  if (::fchown(upper.get(), uid, gid) < 0 && errno != EINVAL)
    return Error(errno, "give the copy its owner");
  const mode_t mode = (copy.keep_mode ? own.st_mode : lower.st_mode) & 07777U;
  if (::fchmod(upper.get(), mode) < 0) return Error(errno, "set the mode of the copy");
  return {};
}

}  // namespace

Result<Fd> make_copy_up(const CopyUp& copy, const Fd& tmpfs) noexcept {
  const int here = tmpfs.get();
  const Fd lower = TRY(sys::clone_tree(copy.directory, "", AT_EMPTY_PATH));
  // Layers must be attached, and are named from the working directory.
  TRY(sys::move_mount(here, copy.staging, "copy"));
  for (const char* name : {"lower", "upper", "work"}) TRY(sys::mkdirat(here, name, 0755));
  TRY(sys::move_mount(lower.get(), here, "lower"));
  TRY(set_owner(copy, here));
  TRY(sys::fchdir(here));
  const Fd context = TRY(sys::fsopen("overlay"));
  TRY(sys::fsconfig_string(context.get(), "source", "tmpfs"));
  TRY(sys::fsconfig_string(context.get(), "lowerdir", "lower"));
  TRY(sys::fsconfig_string(context.get(), "upperdir", "upper"));
  TRY(sys::fsconfig_string(context.get(), "workdir", "work"));
  if (copy.userxattr) TRY(sys::fsconfig_flag(context.get(), "userxattr"));
  Result<Fd> made = sys::fsmount(context.get(), "overlay", static_cast<unsigned>(copy.attributes));
  if (!made && made.error().code() == EINVAL)
    return made.error().hint(
        "overlays are two deep at most: below a root that is on an overlay itself, leave "
        "`tmpcopyup` out");
  return made;
}

}  // namespace jaula::isolation
