// Paths inside a root: every walk is (root descriptor, relative path) through openat2 with
// RESOLVE_IN_ROOT, so no link, no `..` and no racing rename of the jail's can lead outside.
// Runs inside, before pivot_root; also used from outside to read files of a root. openat2(2),
// CVE-2019-19921, CVE-2021-30465, CVE-2023-27561
#pragma once

#include <sys/types.h>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

// Follows links as they look from inside the root; never a magic link.
Result<Fd> open_in_root(int root, const char* path, int flags) noexcept;

// mkdir -p inside the root: the directory at `path`, made with `mode` where it is missing.
Result<Fd> make_directory(int root, const char* path, mode_t mode) noexcept;

enum class MountPointKind : unsigned char { kDirectory, kFile };

// An O_PATH descriptor to mount on, made (empty) where it is missing. The place itself must be
// what `kind` says: a link, FIFO, socket or device there is refused.
Result<Fd> make_mount_point(int root, const char* path, MountPointKind kind) noexcept;

}  // namespace jaula::isolation
