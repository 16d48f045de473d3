// The jail's file system tree as an ordered list of mount operations, made with the mount API of
// descriptors: nothing is ever mounted by a string path inside the root. apply() runs inside,
// before pivot_root; clone_source() and map_source() outside. mount_namespaces(7), fsopen(2),
// open_tree(2)
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "isolation/placed_file.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

struct MountOp {
  enum class Kind : std::uint8_t {
    kDirectory,   // make target with mode
    kFile,        // make target with the bytes of source, in place of whatever stands there
    kSymlink,     // make target pointing to the text of source
    kBind,        // mount source (a host path) on target
    kFileSystem,  // mount a new file system of type source on target
    kMask,        // hide target
    kReadOnly,    // make target read-only
    kPlace,       // mount a new file with `content` on target, whatever stands there
  };
  Kind kind = Kind::kDirectory;
  std::string source = {};
  std::string target = {};       // relative to the root, without a leading '/'
  std::uint64_t attributes = 0;  // MOUNT_ATTR_*
  bool recursive = false;        // kBind, kReadOnly: with what is mounted below
  bool source_is_file = false;   // kBind: source is no directory
  bool anchored = false;         // kBind: parts of it are covered by later operations
  dev_t device = 0;              // kBind: source must be this device; 0: it is none
  bool idmapped = false;         // kBind: made outside, mapped to the jail's ids
  bool named = false;            // kMask, kReadOnly: by the spec; a link there is refused
  // kMask, kReadOnly: passed over where nothing is there; kFile: where it may not be made.
  bool optional = true;
  bool copy_up = false;  // kFileSystem: tmpfs that begins with what is at target
  unsigned mode = 0755;  // kDirectory, kFile
  std::vector<std::pair<std::string, std::string>> options = {};  // kFileSystem; "" value: a flag
  PlacedFile file = {};                                           // kPlace
  std::string origin = {};  // where the spec asked for it, for messages
};

struct RootPlan {
  enum class Kind : std::uint8_t {
    kDirectory,  // source itself
    kOverlay,    // source below a throw-away tmpfs
    kTmpfs,      // an empty tmpfs
  };
  Kind kind = Kind::kTmpfs;
  std::string source = {};
  bool idmapped = false;           // source is made outside, mapped to the jail's ids
  bool read_only = false;          // set last, when every mount point is there
  bool overlay_userxattr = false;  // overlay made inside a user namespace. overlayfs.rst
  std::string origin = {};
};

struct MountPlan {
  RootPlan root;
  std::vector<MountOp> ops;
};

// A tree whose ids are mapped to the jail's. That needs CAP_SYS_ADMIN over the file system, so it
// is done outside: cloned before there is a child, which inherits the descriptor, and mapped as
// soon as there is a user namespace, before the child may use it.
struct TreeSource {
  const char* path;
  const char* origin;  // where the spec asks for it
  bool recursive;
  std::uint64_t attributes;
};
Result<Fd> clone_source(const TreeSource& source) noexcept;
Result<void> map_source(const TreeSource& source, int tree, int user_namespace) noexcept;

// File systems of kernel namespaces that were made before, attached nowhere yet, for the operations
// that ask for one. Of a namespace that is joined only who is privileged over it makes one.
struct Premade {
  Fd proc, sysfs, mqueue;
};

// Makes the whole tree and leaves its root attached, ready for enter(). `outside` are the trees of
// what is idmapped, the root's first, then in the order of ops.
Result<Fd> apply(const MountPlan& plan, std::span<const int> outside, Premade& premade) noexcept;

// The new file system of a kFileSystem, attached nowhere.
Result<Fd> make_file_system(const MountOp& op, std::uint64_t attributes) noexcept;

// Nothing that is mounted from here on travels to the host, nor from it. mount_namespaces(7)
Result<void> leave_peer_groups() noexcept;

// A procfs of this process's pid namespace, attached nowhere yet: kernel knobs are written through
// it before any path of the jail is touched. CVE-2019-16884, CVE-2025-52881
Result<Fd> make_proc() noexcept;

// A copy of the host's, with what is mounted below, for who stays in its pid namespace. Before
// apply(), which covers it.
Result<Fd> copy_proc() noexcept;

// pivot_root; the old root is gone afterwards. The working directory is the new "/".
Result<void> enter(int root, const RootPlan& plan) noexcept;

}  // namespace jaula::isolation
