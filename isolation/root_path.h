// Paths inside a root: every walk is (root descriptor, relative path) through openat2 with
// RESOLVE_IN_ROOT, so no link, no `..` and no racing rename of the jail's can lead outside.
// Runs inside, before pivot_root; also used from outside to read files of a root. openat2(2),
// CVE-2019-19921, CVE-2021-30465, CVE-2023-27561
#pragma once

#include <sys/types.h>

#include <array>
#include <string_view>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

// Follows links as they look from inside the root; never a magic link.
Result<Fd> open_in_root(int root, const char* path, int flags) noexcept;

enum class MountPointKind : unsigned char { kDirectory, kFile };
// Whether what `there` is open on is of that kind; `path` is for the message.
Result<void> check_mount_point(int there, const char* path, MountPointKind kind) noexcept;

// A walk to one place in the root after another. Neighbours share their directory, so the last one
// is kept open; directories on the way are made (0755) where a place is made. What is below a file
// system that was mounted here is walked to from its own root: whoever renames the directory that
// it stands on meanwhile moves it, with all that covers parts of it. CVE-2025-52565
class RootWalk {
 public:
  explicit RootWalk(int root) noexcept : root_(root) {}

  Result<void> make_directory(const char* path, mode_t mode) noexcept;
  Result<void> make_link(const char* path, const char* text) noexcept;
  // A new file, for writing. What is in its place is deleted, and neither followed nor opened:
  // for a root that is thrown away. EISDIR.
  Result<Fd> make_file(const char* path, mode_t mode) noexcept;

  // O_PATH of what is there; a link in the last place is not followed. ENOENT.
  Result<Fd> find(const char* path) noexcept;
  // The same, but a link is refused.
  Result<Fd> find_no_link(const char* path) noexcept;
  // A detached copy of what is there, with all that is mounted below; of a link itself. ENOENT.
  Result<Fd> copy(const char* path) noexcept;
  // Attaches the tree to what was found there, wherever that has gone meanwhile. EINVAL.
  Result<void> cover(const char* path, int tree, int place) noexcept;
  // Attaches the tree where something of its kind is; a link is covered itself. ENOENT, EINVAL.
  Result<void> cover(const char* path, int tree) noexcept;
  // Attaches the tree to a place that is made (empty) where it is missing. What is there must be
  // what `kind` says: a link, FIFO, socket or device is refused.
  Result<void> mount(const char* path, MountPointKind kind, int tree) noexcept;
  // The same for a file system of the jail's own. `path` must outlive the walk.
  Result<void> mount_and_anchor(const char* path, Fd tree) noexcept;

 private:
  struct Place {
    int directory;
    const char* name;  // the last component
  };
  struct Anchor {
    std::string_view path;
    Fd root;
  };
  struct Base {
    int root;
    const char* path;  // what is left to walk
  };
  [[nodiscard]] Base base_of(const char* path) const noexcept;
  Result<Place> place_of(const char* path, bool make) noexcept;
  Result<Fd> make_directories(const char* path, mode_t mode) noexcept;
  Result<void> attach(const char* path, int tree, int directory, const char* name) noexcept;

  int root_;
  std::array<Anchor, 128> anchors_;
  std::size_t anchored_ = 0;
  Fd directory_;  // at directory_path_
  std::size_t directory_size_ = 0;
  char directory_path_[4096];
};

}  // namespace jaula::isolation
