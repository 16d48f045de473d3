#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/exit_file.h"
#include "runtime/log_files.h"
#include "runtime/spec/json_reader.h"
#include "runtime/state_store.h"
#include "runtime/tree.h"

namespace jaula {
namespace {

constexpr const char* kStateFile = "state.json";

// Deletes what a log writer makes, and the directory when that was all.
Result<void> remove_logs(const std::string& path) {
  // Nearly always there are none, or no directory at all: one call says so.
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  if (errno != ENOTEMPTY && errno != EEXIST) return Error(errno, "remove logs ", path);
  const Fd logs = TRY(sys::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const std::vector<DirectoryEntry> entries = TRY(list_directory(logs.get(), path));
  for (const DirectoryEntry& entry : entries)
    if (is_log_file(entry.name) && ::unlinkat(logs.get(), entry.name.c_str(), 0) < 0 &&
        errno != ENOENT)
      return Error(errno, "remove ", path, "/", entry.name);
  if (::rmdir(path.c_str()) < 0 && errno != ENOENT && errno != ENOTEMPTY)
    return Error(errno, "remove logs ", path);
  return {};
}

}  // namespace

// Locks the directory that was just made below `run` and gives it its exit file. False when it was
// removed first: until it is locked, `rm -f` takes it for one that a crash left behind.
Result<bool> JailDirectory::settle(int run) {
  Result<Fd> directory = sys::openat(run, name_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory && directory.error().code() == ENOENT) return false;
  if (!directory) return directory.error();
  directory_ = std::move(*directory);
  TRY(flock(LOCK_EX));
  // A removed directory takes no new files: this is also the check that ours is still there.
  Result<Fd> exit = make_exit_file(directory_.get());
  if (!exit && exit.error().code() == ENOENT) return false;
  if (!exit) return exit.error();
  exit_ = std::move(*exit);
  id_base_ = 0;
  return true;
}

Result<JailState> JailDirectory::load() {
  // Before the state: whoever has loaded it can be told the end, even when both are removed now.
  if (!exit_)
    if (Result<Fd> exit = open_exit_file(directory_.get())) exit_ = std::move(*exit);
  Result<Fd> file = sys::openat(directory_.get(), kStateFile, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file && file.error().code() == ENOENT)
    return Error(ENOENT, "jail ", name_, " has no state yet");
  if (!file) return file.error().in(path_, ": ");
  const std::string text = TRY(read_fd(file->get(), path_ + "/state.json", spec::kMaxJsonSize));
  Result<JailState> state = state_from_json(text);
  if (!state)
    return Error(EBADMSG, path_, "/", kStateFile, ": ", state.error().text())
        .hint("`jaula rm -f ", name_, "` removes what is left of this jail");
  state->name = name_;
  id_base_ = state->id_base;
  maps_ids_ = state->config.extra.userns == spec::UserNamespace::Mode::kMap;
  if (state->exit) return state;
  state->exit = read_exit(exit_.get());
  if (state->exit) state->status = Status::kExited;
  return state;
}

Result<void> JailDirectory::save(const JailState& state) {
  const std::string text = to_json(state);
  if (text.size() > spec::kMaxJsonSize)
    return Error(E2BIG, "save ", path_, "/", kStateFile)
        .hint("arguments, environment and spec of a jail may be ", spec::kMaxJsonSize,
              " bytes long");
  Result<void> saved = replace_file_at(directory_.get(), kStateFile, text);
  if (!saved) return saved.error().in(path_, ": ");
  if (state.id_base != 0) id_base_ = state.id_base;
  return {};
}

Result<void> JailDirectory::save_exit(const Exit& exit) {
  if (!exit_) exit_ = TRY(open_exit_file(directory_.get()));
  return write_exit(exit_.get(), exit);
}

Result<void> JailDirectory::flock(int operation) {
  int result;
  do result = ::flock(directory_.get(), operation);
  while (result < 0 && errno == EINTR);
  if (result < 0) return Error(errno, "lock ", path_);
  locked_ = true;
  return {};
}

// /proc/locks has the pid of whoever holds a lock on an inode. proc(5)
Error JailDirectory::held_by_another() const {
  Error busy(EBUSY, "lock the jail ", name_);
  struct stat info;
  if (::fstat(directory_.get(), &info) < 0) return busy;
  const std::string inode = ":" + std::to_string(info.st_ino);
  const std::string locks = read_or_empty("/proc/locks");
  for (const std::string_view line : split(locks, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    const auto place = std::find_if(words.begin(), words.end(),
                                    [&](std::string_view word) { return word.ends_with(inode); });
    if (place == words.end() || place == words.begin()) continue;
    return busy.hint("process ", *(place - 1),
                     " is starting or ending it, or hangs: see what it "
                     "waits for, or end it");
  }
  return busy;
}

// flock(2) knows no time limit, so it is asked again and again.
Result<void> JailDirectory::lock(std::optional<std::chrono::steady_clock::time_point> deadline) {
  using std::chrono::steady_clock;
  constexpr std::chrono::seconds kLongest{10};
  constexpr int kPause = 5;  // ms
  const steady_clock::time_point end = deadline.value_or(steady_clock::now() + kLongest);
  for (;;) {
    const Result<void> locked = flock(LOCK_EX | LOCK_NB);
    if (locked) break;
    if (locked.error().code() != EWOULDBLOCK) return locked;
    if (steady_clock::now() >= end) return held_by_another();
    ::poll(nullptr, 0, kPause);
  }
  const struct stat info = TRY(sys::fstat(directory_.get()));
  if (info.st_nlink != 0) return {};
  unlock();
  Error gone(ENOENT, "there is no jail ", name_);
  return gone.self_explaining();
}

Result<bool> JailDirectory::try_lock() {
  const Result<void> locked = flock(LOCK_EX | LOCK_NB);
  if (!locked && locked.error().code() == EWOULDBLOCK) return false;
  if (!locked) return locked.error();
  TRY(lock());
  return true;
}

void JailDirectory::unlock() noexcept {
  ::flock(directory_.get(), LOCK_UN);
  locked_ = false;
}

Result<void> JailDirectory::release_ids() const {
  Result<IdClaims> claims = IdClaims::open(ids_path_);
  // A user has none, and may not even look.
  if (!claims && !id_base_) return {};
  if (!claims) return claims.error();
  return claims->release(path_, maps_ids_ ? std::nullopt : id_base_);
}

Result<void> JailDirectory::remove() {
  if (!locked_) TRY(lock());
  if (!exit_)
    if (Result<Fd> exit = open_exit_file(directory_.get())) exit_ = std::move(*exit);
  if (exit_) {
    // A torn state does not say which ids the jail had, and one never written says nothing.
    if (!id_base_) static_cast<void>(load());
    if (id_base_ != 0U || maps_ids_) TRY(release_ids());
    TRY(remove_logs(log_path_));
    // Our files by name, and nothing else; last the one by which the directory is known for a
    // record.
    for (const char* name : {kStateFile, "state.json.new", "stop", "exit"})
      ::unlinkat(directory_.get(), name, 0);
  }
  // Named from our own directory: ".." is the one that was checked when the store was opened.
  const std::string self = "../" + name_;
  const auto remove = [&] {
    return ::unlinkat(directory_.get(), self.c_str(), AT_REMOVEDIR) == 0 ? 0 : errno;
  };
  int error = remove();
  // Few jails have it, so it is not asked for before.
  if (error == ENOTEMPTY && ::unlinkat(directory_.get(), "denials", 0) == 0) error = remove();
  if (error != 0 && error != ENOENT)
    return Error(error, "remove ", path_).hint("jaula has not made what is in it");
  // Not left to the closing: a child made by fork may have the descriptor still.
  unlock();
  directory_.reset();
  exit_.reset();
  return {};
}

Result<Exit> wait_for_exit(const JailDirectory& jail, const JailState& state,
                           std::optional<std::chrono::milliseconds> timeout) {
  if (const std::optional<Exit> exit = read_exit(jail.exit_fd())) return *exit;
  std::optional<Fd> monitor;
  if (state.boot_id == boot_id()) monitor = TRY(open_process(state.monitor));
  if (monitor) {
    const bool ended = TRY(wait_for_end(*monitor, timeout));
    if (!ended) return Error(ETIMEDOUT, "wait for jail ", jail.name()).exits(ExitCode::kTimeLimit);
  }
  if (const std::optional<Exit> exit = read_exit(jail.exit_fd())) return *exit;
  // The payload dies with its monitor, by SIGKILL.
  return Exit{.code = 137,
              .signal = 9,
              .reason = EndReason::kMonitorLost,
              .detail = "the monitor of the jail ended without a word",
              .at = now_nanoseconds()};
}

}  // namespace jaula
