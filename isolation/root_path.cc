#include "isolation/root_path.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <string_view>

#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

constexpr std::uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

Error link_in_the_way(const char* path) noexcept {
  return Error(0, "the target /", path, " is a link in the root")
      .hint("name the place it points to, or remove the link");
}

bool is_at_or_below(std::string_view path, std::string_view above) noexcept {
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

// One component below a directory that was walked to already.
Result<Fd> open_name(int directory, const char* name, int flags) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return sys::openat2(directory, name, how);
}

}  // namespace

Result<Fd> open_in_root(int root, const char* path, int flags) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = mutant("walk inside the root") ? 0 : kInRoot;
  return sys::openat2(root, path, how);
}

Result<void> check_mount_point(int there, const char* path, MountPointKind kind) noexcept {
  const struct stat info = TRY(sys::fstat(there));
  const bool wanted =
      kind == MountPointKind::kDirectory ? S_ISDIR(info.st_mode) : S_ISREG(info.st_mode);
  if (wanted) return {};
  if (S_ISLNK(info.st_mode)) return link_in_the_way(path);
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

// mkdir -p: the directory at `path`, made with `mode` where it is missing, those above with 0755.
Result<Fd> RootWalk::make_directories(const char* path, mode_t mode) noexcept {
  const Base base = base_of(path);
  Result<Fd> there = open_in_root(base.root, base.path, O_PATH | O_DIRECTORY);
  if (there || there.error().code() != ENOENT) return there;
  char prefix[sizeof directory_path_];
  const std::string_view whole(base.path);
  if (whole.size() >= sizeof prefix) return Error(ENAMETOOLONG, "make directory ", path);
  Fd above;  // at the prefix before; none: the base itself
  for (std::size_t start = 0; start < whole.size();) {
    const std::size_t end = std::min(whole.find('/', start), whole.size());
    std::memcpy(prefix, whole.data(), end);
    prefix[end] = '\0';
    there = open_in_root(base.root, prefix, O_PATH | O_DIRECTORY);
    if (!there && there.error().code() == ENOENT) {
      const Result<void> made = sys::mkdirat(above ? above.get() : base.root, prefix + start,
                                             end == whole.size() ? mode : 0755);
      // EEXIST: a dangling link in the place; the open below says so.
      if (!made && made.error().code() != EEXIST) return made.error();
      there = open_in_root(base.root, prefix, O_PATH | O_DIRECTORY);
    }
    if (!there) return there;
    above = std::move(*there);
    start = end + 1;
  }
  return above;
}

RootWalk::Base RootWalk::base_of(const char* path) const noexcept {
  Base base{root_, path};
  if (mutant("walk from the new file system")) return base;
  const std::string_view whole(path);
  std::size_t longest = 0;
  for (std::size_t i = 0; i < anchored_; ++i) {
    const std::string_view above = anchors_[i].path;
    if (above.size() < longest || whole.size() <= above.size() || !is_at_or_below(whole, above))
      continue;
    base = {anchors_[i].root.get(), path + above.size() + 1};
    longest = above.size();
  }
  return base;
}

Result<RootWalk::Place> RootWalk::place_of(const char* path, bool make) noexcept {
  const Base base = base_of(path);
  if (std::strchr(base.path, '/') == nullptr) return Place{base.root, base.path};
  const char* slash = std::strrchr(path, '/');
  const auto size = static_cast<std::size_t>(slash - path);
  if (size >= sizeof directory_path_) return Error(ENAMETOOLONG, "walk to ", path);
  if (directory_ &&
      std::string_view(directory_path_, directory_size_) == std::string_view(path, size))
    return Place{directory_.get(), slash + 1};
  char above[sizeof directory_path_];
  std::memcpy(above, path, size);
  above[size] = '\0';
  // What is on the way is walked to, and kept, first.
  const Base way = base_of(above);
  Fd found = TRY(make ? make_directories(above, 0755)
                      : open_in_root(way.root, way.path, O_PATH | O_DIRECTORY));
  std::memcpy(directory_path_, above, size);
  directory_size_ = size;
  directory_ = std::move(found);
  return Place{directory_.get(), slash + 1};
}

Result<Fd> RootWalk::find(const char* path) noexcept {
  const Place place = TRY(place_of(path, false));
  return open_name(place.directory, place.name, O_PATH | O_NOFOLLOW);
}

Result<Fd> RootWalk::find_no_link(const char* path) noexcept {
  Fd found = TRY(find(path));
  const struct stat info = TRY(sys::fstat(found.get()));
  if (S_ISLNK(info.st_mode) && !mutant("no link as a mask")) return link_in_the_way(path);
  return found;
}

Result<Fd> RootWalk::copy(const char* path) noexcept {
  const Place place = TRY(place_of(path, false));
  return sys::clone_tree(place.directory, place.name, AT_SYMLINK_NOFOLLOW | AT_RECURSIVE);
}

Result<void> RootWalk::cover(const char* path, int tree, int place) noexcept {
  return attach(path, tree, place, "");
}

Result<void> RootWalk::make_directory(const char* path, mode_t mode) noexcept {
  const Fd made = TRY(make_directories(path, mode));
  return {};
}

Result<void> RootWalk::make_link(const char* path, const char* text) noexcept {
  const Place place = TRY(place_of(path, true));
  return sys::symlinkat(text, place.directory, place.name);
}

Result<Fd> RootWalk::make_file(const char* path, mode_t mode) noexcept {
  const Place place = TRY(place_of(path, true));
  if (mutant("no link or FIFO as a file"))
    return sys::openat(root_, path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, mode);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  Result<Fd> file = sys::openat(place.directory, place.name, kFlags, mode);
  if (file || file.error().code() != EEXIST) return file;
  if (::unlinkat(place.directory, place.name, 0) == 0)
    return sys::openat(place.directory, place.name, kFlags, mode);
  const int reason = errno;
  Error refused(reason, "place a file at /", path);
  if (reason == EISDIR) refused.hint("remove the directory there");
  return refused;
}

Result<void> RootWalk::attach(const char* path, int tree, int directory,
                              const char* name) noexcept {
  if (kMutants) stop_at("attach", path);
  if (mutant("mount by descriptor")) return sys::move_mount(tree, root_, path);
  TRY(sys::move_mount(tree, directory, name));
  // What was walked to or mounted at this path or below it is covered now: it is no place to mask
  // or mount on any more.
  if (is_at_or_below({directory_path_, directory_size_}, path)) directory_.reset();
  for (std::size_t i = 0; i < anchored_;) {
    if (is_at_or_below(anchors_[i].path, path)) {
      anchors_[i] = std::move(anchors_[--anchored_]);
    } else {
      ++i;
    }
  }
  return {};
}

Result<void> RootWalk::cover(const char* path, int tree) noexcept {
  const Place place = TRY(place_of(path, false));
  return attach(path, tree, place.directory, place.name);
}

Result<void> RootWalk::mount(const char* path, MountPointKind kind, int tree) noexcept {
  Place place = TRY(place_of(path, true));
  if (kMutants) stop_at("make", path);
  if (mutant("make by descriptor")) place = {root_, path};
  // In the jail's own root a name is likely there, in what jaula mounts it is not.
  const auto open_there = [&] {
    return mutant("no link as a target")
               ? sys::openat(place.directory, place.name, O_PATH)
               : open_name(place.directory, place.name, O_PATH | O_NOFOLLOW);
  };
  const bool expected = place.directory == root_ && !mutant("make by descriptor");
  Result<Fd> there = expected ? open_there() : Error(ENOENT, "not looked for");
  if (!there && there.error().code() == ENOENT) {
    const Result<void> made = kind == MountPointKind::kDirectory
                                  ? sys::mkdirat(place.directory, place.name, 0755)
                                  : sys::mknod_file(place.directory, place.name, 0644);
    // What replaces it meanwhile is covered itself: the last step of the walk follows no link.
    if (made) return attach(path, tree, place.directory, place.name);
    if (made.error().code() != EEXIST) return made;
    there = open_there();
  }
  if (!there) return there.error();
  TRY(check_mount_point(there->get(), path, kind));
  return attach(path, tree, there->get(), "");
}

Result<void> RootWalk::mount_and_anchor(const char* path, Fd tree) noexcept {
  TRY(mount(path, MountPointKind::kDirectory, tree.get()));
  if (anchored_ == anchors_.size())
    return Error(E2BIG, "hold on to a file system more on ", path)
        .hint("a jail can have ", anchors_.size(), " of its own");
  anchors_[anchored_++] = {path, std::move(tree)};
  return {};
}

}  // namespace jaula::isolation
