#include "isolation/placed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

constexpr unsigned kInert = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

}  // namespace

Result<void> make_file(int directory, const PlacedFile& file) noexcept {
  const char* name = file.name.c_str();
  const Fd made = TRY(sys::openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW));
  TRY(sys::write_all(made.get(), file.content, name));
  if (file.uid != static_cast<uid_t>(-1) && ::fchown(made.get(), file.uid, file.gid) < 0) {
    const int reason = errno;
    Error refused(reason, "give it to user ", file.uid, " and group ", file.gid);
    if (reason == EINVAL) refused.hint("the jail does not have these ids; name others");
    return refused;
  }
  // Last: a change of owner takes bits away. chown(2)
  if (::fchmod(made.get(), file.mode) < 0) return Error(errno, "set mode of ", name);
  return {};
}

Result<Fd> clone_file(int directory, const PlacedFile& file) noexcept {
  Fd tree = TRY(sys::clone_tree(directory, file.name.c_str(), 0));
  TRY(sys::mount_setattr(tree.get(), 0, kInert | (file.read_only ? MOUNT_ATTR_RDONLY : 0U),
                         file.read_only ? 0U : MOUNT_ATTR_RDONLY));
  return tree;
}

Result<Fd> make_ramfs() noexcept {
  const Fd context = TRY(sys::fsopen("ramfs"));
  TRY(sys::fsconfig_string(context.get(), "source", "jaula"));
  TRY(sys::fsconfig_string(context.get(), "mode", "0700"));
  return sys::fsmount(context.get(), "ramfs", kInert);
}

}  // namespace jaula::isolation
