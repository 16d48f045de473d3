// One 0700 directory per jail, below /run/jaula (root) or $XDG_RUNTIME_DIR/jaula (a user):
//   <run>/NAME/             the intent record: its name alone is enough to clean up after a crash
//   <run>/NAME/state.json   replaced by rename; absent until the first save
//   <run>/NAME/exit         how the payload ended; blank until then
//   <run>/NAME/denials      system calls that the filter denied, from the first one on (denials.h)
//   <ids>/BASE -> <run>/NAME who has the 65,536 host ids from BASE on
//   <data>/NAME/            logs of a detached jail
// Nothing is fsynced: what lives below /run does not outlive the boot that its boot id names.
// Parent side. flock(2), symlink(7)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/id_ranges.h"
#include "runtime/jail_state.h"
#include "runtime/process_id.h"

namespace jaula {

// Directories of this user, absolute; --root DIR gives DIR/run and DIR/data.
struct Roots {
  std::string run;                      // /run/jaula
  std::string data;                     // /var/lib/jaula
  std::string ids = "/run/jaula/.ids";  // one for all state directories of the host; root's alone
};
Roots roots_for(const std::string& root_option);

// The open directory of one jail. The lock is a flock on the directory itself and goes with the
// object, or with the process; a child made by fork holds it too until its copy is closed.
class JailDirectory {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& log_path() const noexcept { return log_path_; }
  [[nodiscard]] int fd() const noexcept { return directory_.get(); }
  // The file in which the end is told, -1 before the state was loaded.
  [[nodiscard]] int exit_fd() const noexcept { return exit_.get(); }

  // The state as it is on disk, with the exit that was saved since. ENOENT while only the intent is
  // there: when nobody holds the lock either, its maker has died. EBADMSG when it is torn.
  Result<JailState> load();
  Result<void> save(const JailState& state);
  // Tells how the payload ended; no save() is needed after it. The exit stands in a file that
  // exists, with room, from the beginning: it can be told on a full disk, and a waiter that has the
  // file open reads it even when the directory has been removed meanwhile.
  Result<void> save_exit(const Exit& exit);

  // Waits for the lock. ENOENT when the jail was removed before we had it; EBUSY, with the process
  // that has it, when that kept it for as long as no start and no verb takes (10 s), or until
  // `deadline`.
  Result<void> lock(std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt);
  Result<bool> try_lock();  // false: another process has it
  void unlock() noexcept;

  // Deletes the directory with all that is in it, the jail's id range and its logs. Needs the lock
  // and takes it; every step can be made again after a crash in between.
  Result<void> remove();

 private:
  friend class StateStore;
  Result<void> flock(int operation);
  [[nodiscard]] Error held_by_another() const;
  Result<bool> settle(int run);
  [[nodiscard]] Result<void> release_ids() const;

  std::string name_, path_, log_path_, ids_path_;
  Fd directory_;
  Fd exit_;                               // of a directory that we made
  std::optional<std::uint32_t> id_base_;  // as taken or loaded; 0: none
  bool maps_ids_ = false;                 // by a map of the spec's: the links say which
  bool locked_ = false;
};

class StateStore {
 public:
  explicit StateStore(Roots roots, IdSources id_sources = {})
      : roots_(std::move(roots)), id_sources_(std::move(id_sources)) {}
  [[nodiscard]] const Roots& roots() const noexcept { return roots_; }

  // Claims a name: makes its directory, locked. EEXIST: "the name web is in use".
  Result<JailDirectory> create(const std::string& name);
  // ENOENT: "there is no jail web", with the nearest name as the hint. Not locked.
  Result<JailDirectory> open(const std::string& name) const;
  Result<std::vector<std::string>> names() const;  // sorted
  // With the directories that are no record: a start that was killed before it made one leaves its
  // name, empty.
  Result<std::vector<std::string>> claimed_names() const;

  // Takes a free range of kIdRangeSize host ids for a jail that we hold: the preferred one of its
  // name or the next free one, whatever state directory the others' jails are in.
  // Ranges that hold a host user or group, or subordinate ids of one, are passed over. Only for a
  // privileged store.
  Result<std::uint32_t> take_id_range(JailDirectory& jail) const;

  // Takes the ranges that a map of the spec's reaches into, as far as they are such as jails get:
  // an error when another jail has one. Host users in them are the operator's to know.
  [[nodiscard]] Result<void> take_mapped_ids(JailDirectory& jail,
                                             const spec::JailConfig& config) const;

  // The name of a jail's cgroup. All state directories of a user share one parent cgroup: those
  // given by --root tell their jails apart by a suffix.
  [[nodiscard]] std::string cgroup_name(const std::string& name) const;

 private:
  Result<int> run_directory() const;
  [[nodiscard]] JailDirectory directory_of(const std::string& name) const;

  Roots roots_;
  IdSources id_sources_;
  mutable Fd run_;  // opened and checked at the first use
};

// Reads the end of a jail whose state was loaded, or sleeps on the monitor's pidfd first. It is
// told even when the jail's directory has been removed meanwhile. ETIMEDOUT when the time is over.
Result<Exit> wait_for_exit(const JailDirectory& jail, const JailState& state,
                           std::optional<std::chrono::milliseconds> timeout);

}  // namespace jaula
