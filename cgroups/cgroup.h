// One cgroup v2 directory as an owned handle. Parent side. cgroups(7),
// Documentation/admin-guide/cgroup-v2.rst
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::cgroups {

// A file of the cgroup and what is written to it before the jail is born in it.
struct Write {
  std::string file;  // memory.max
  std::string value;
  std::string origin = {};  // spec line, for messages; empty: the default profile
  bool optional = false;    // a kernel that has no such file does without it
};

class Cgroup {
 public:
  Cgroup() = default;  // none

  // Makes `name` below an open parent directory. EEXIST is an error: the name is in use.
  static Result<Cgroup> create(int parent, const std::string& parent_path, const std::string& name);
  // Opens one that exists, by its absolute path in the host's mount.
  static Result<Cgroup> open(std::string path);

  [[nodiscard]] int fd() const noexcept { return directory_.get(); }  // for CLONE_INTO_CGROUP
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  explicit operator bool() const noexcept { return static_cast<bool>(directory_); }

  [[nodiscard]] Result<void> write(const Write& write) const;
  [[nodiscard]] Result<std::string> read(const std::string& file) const;
  // A counter out of a flat keyed file: ("memory.events", "oom_kill"). 0 when it is not there.
  [[nodiscard]] std::uint64_t counter(const std::string& file, std::string_view key) const;
  [[nodiscard]] Result<bool> populated() const;         // cgroup.events, so of the whole tree
  [[nodiscard]] Result<std::vector<int>> pids() const;  // of the whole tree below

  // Gives it away: processes and cgroups below it are the new owner's to arrange, its limits are
  // not. Documentation/admin-guide/cgroup-v2.rst, Delegation
  [[nodiscard]] Result<void> delegate(uid_t uid, gid_t gid) const;

  // Waits until the kernel says it is done. What could not be frozen in time is thawed again.
  [[nodiscard]] Result<void> freeze(bool frozen) const;
  // SIGKILL to every process of the tree, and waits until it is empty. A cgroup that is gone has
  // been killed.
  [[nodiscard]] Result<void> kill() const;
  // The same where the kernel has no cgroup.kill (before 5.14): freeze, signal, thaw.
  [[nodiscard]] Result<void> kill_one_by_one() const;
  // Sends a signal to every process of the tree, frozen meanwhile so that none is missed.
  [[nodiscard]] Result<void> signal_all(int signal) const;
  // Removes the directory and those the jail made below it. The tree must be dead; what is still
  // on its way out is waited for. A cgroup that is gone has been removed.
  Result<void> remove(std::chrono::milliseconds patience = std::chrono::seconds(5));
  // Both of them. Most often nobody is left to kill, and one call does it.
  Result<void> kill_and_remove();

 private:
  Cgroup(Fd directory, std::string path) noexcept
      : directory_(std::move(directory)), path_(std::move(path)) {}

  Fd directory_;
  std::string path_;
};

}  // namespace jaula::cgroups
