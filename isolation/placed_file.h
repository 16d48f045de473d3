// A file of jaula's in a jail's tree: hosts, resolv.conf, configs, secrets. It is made in a file
// system that nobody else can reach, and mounted over whatever stands in its place in the root:
// nothing of the root is opened, followed or written. CVE-2019-19921, CVE-2021-30465. Runs inside.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

struct PlacedFile {
  std::string name = {};               // in the file system it is made in; unique among a jail's
  std::string content = {};            // bytes
  uid_t uid = static_cast<uid_t>(-1);  // of the jail's; -1: of whoever makes it
  gid_t gid = static_cast<gid_t>(-1);
  unsigned mode = 0644;
  bool read_only = false;
  // On a ramfs: its pages are never written to a swap device, which tmpfs promises with `noswap`
  // alone, and that not in a user namespace. tmpfs(5)
  bool unswapped = false;
  bool make = false;  // a mount point that is missing is made; else it is left out
};

// Makes the file in `directory`.
Result<void> make_file(int directory, const PlacedFile& file) noexcept;
// A detached mount of it, nosuid, nodev and noexec.
Result<Fd> clone_file(int directory, const PlacedFile& file) noexcept;
// Whose files never leave memory: empty, attached nowhere.
Result<Fd> make_ramfs() noexcept;

}  // namespace jaula::isolation
