// A tmpfs that begins with what a directory has: an overlay of the directory below a new tmpfs.
// Nothing is copied before it is written, so jaula reads no link, FIFO, device or sparse file of
// the directory, and what is there takes no memory. Runs inside. overlayfs.rst
#pragma once

#include <cstdint>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

struct CopyUp {
  int directory;             // what it begins with
  int staging;               // where "copy" is an empty directory that nobody else can reach
  bool userxattr;            // made inside a user namespace
  std::uint64_t attributes;  // MOUNT_ATTR_*
  bool keep_mode, keep_uid, keep_gid;  // of the tmpfs; else the directory's
};

// Detached. `tmpfs` is, too.
Result<Fd> make_copy_up(const CopyUp& copy, const Fd& tmpfs) noexcept;

}  // namespace jaula::isolation
