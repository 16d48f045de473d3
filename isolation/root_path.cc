#include "isolation/root_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <cstring>
#include <string_view>

#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

constexpr std::uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

Result<void> require_kind(int fd, const char* path, MountPointKind kind) noexcept {
  const struct stat info = TRY(sys::fstat(fd));
  const bool wanted =
      kind == MountPointKind::kDirectory ? S_ISDIR(info.st_mode) : S_ISREG(info.st_mode);
  if (wanted) return {};
  if (S_ISLNK(info.st_mode))
    return Error(0, "the target /", path, " is a link in the root")
        .hint("name the place it points to, or remove the link");
  return Error(kind == MountPointKind::kDirectory ? ENOTDIR : EINVAL, "the target /", path, " is ",
               S_ISDIR(info.st_mode)    ? "a directory"
               : S_ISREG(info.st_mode)  ? "a file"
               : S_ISFIFO(info.st_mode) ? "a FIFO"
               : S_ISSOCK(info.st_mode) ? "a socket"
                                        : "a device",
               " in the root")
      .hint(kind == MountPointKind::kDirectory ? "a directory mounts on a directory"
                                               : "a file mounts on a regular file");
}

struct Parent {
  Fd directory;
  const char* name;  // the last component
};

Result<Parent> make_parent(int root, const char* path) noexcept {
  const char* slash = std::strrchr(path, '/');
  if (slash == nullptr) return Parent{TRY(make_directory(root, ".", 0755)), path};
  char above[PATH_MAX];
  const auto size = static_cast<std::size_t>(slash - path);
  if (size >= sizeof above) return Error(ENAMETOOLONG, "walk to ", path);
  std::memcpy(above, path, size);
  above[size] = '\0';
  return Parent{TRY(make_directory(root, above, 0755)), slash + 1};
}

}  // namespace

Result<Fd> open_in_root(int root, const char* path, int flags) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = kInRoot;
  return sys::openat2(root, path, how);
}

Result<Fd> make_directory(int root, const char* path, mode_t mode) noexcept {
  Result<Fd> there = open_in_root(root, path, O_PATH | O_DIRECTORY);
  if (there || there.error().code() != ENOENT) return there;
  const Parent parent = TRY(make_parent(root, path));
  Result<void> made = sys::mkdirat(parent.directory.get(), parent.name, mode);
  // EEXIST: a dangling link in the place; the open below says so.
  if (!made && made.error().code() != EEXIST) return made.error();
  return open_in_root(root, path, O_PATH | O_DIRECTORY);
}

Result<Fd> make_mount_point(int root, const char* path, MountPointKind kind) noexcept {
  Result<Fd> there = open_in_root(root, path, O_PATH | O_NOFOLLOW);
  if (!there) {
    if (there.error().code() != ENOENT) return there;
    const Parent parent = TRY(make_parent(root, path));
    if (kind == MountPointKind::kDirectory) {
      TRY(sys::mkdirat(parent.directory.get(), parent.name, 0755));
    } else {
      const Fd made = TRY(sys::openat(parent.directory.get(), parent.name,
                                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
    }
    there = open_in_root(root, path, O_PATH | O_NOFOLLOW);
    if (!there) return there;
  }
  TRY(require_kind(there->get(), path, kind));
  return there;
}

}  // namespace jaula::isolation
