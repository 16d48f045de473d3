#include "cgroups/cgroup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "cgroups/tree.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula::cgroups {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long the kernel gets. A process in uninterruptible sleep (state D) can neither be frozen nor
// die before its disk or file server answers.
constexpr milliseconds kFreezePatience{5'000};
constexpr milliseconds kKillPatience{10'000};
constexpr milliseconds kWalkPatience{5'000};
constexpr milliseconds kSignalRound{100};

std::optional<std::uint64_t> flat_keyed(std::string_view text, std::string_view key) {
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t blank = line.find(' ');
    if (blank != std::string_view::npos && line.substr(0, blank) == key)
      return parse_decimal(line.substr(blank + 1));
  }
  return std::nullopt;
}

// Waits until `key` of cgroup.events has `value`.
Result<void> wait_for_event(int directory, std::string_view key, std::uint64_t value,
                            Deadline deadline) {
  const Fd events = TRY(sys::openat(directory, "cgroup.events", O_RDONLY));
  for (;;) {
    // Read, then poll: kernfs wakes a poller for what changed since its last read, so nothing is
    // lost between the two.
    char text[256];
    const ssize_t size = ::pread(events.get(), text, sizeof text, 0);
    if (size < 0) return Error(errno, "read cgroup.events");
    if (flat_keyed({text, static_cast<std::size_t>(size)}, key) == value) return {};
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return Error(ETIMEDOUT, "wait for ", key, " ", value);
    pollfd change{.fd = events.get(), .events = POLLPRI, .revents = 0};
    if (::poll(&change, 1, static_cast<int>(left.count())) < 0 && errno != EINTR)
      return Error(errno, "poll cgroup.events");
  }
}

// What the kernel says of a file in a directory that has been removed meanwhile.
bool gone(const Error& error) { return error.code() == ENOENT || error.code() == ENODEV; }

void best_effort(const Result<void>& /*outcome*/) {}

Error named(Error error, const std::string& path) { return error.in("cgroup ", path, ": "); }

}  // namespace

Result<Cgroup> Cgroup::create(int parent, const std::string& parent_path, const std::string& name) {
  std::string path = parent_path + "/" + name;
  if (::mkdirat(parent, name.c_str(), 0755) < 0) {
    Error error(errno, "make cgroup ", path);
    if (error.code() == EAGAIN)
      error.hint("cgroup.max.descendants or cgroup.max.depth above it is reached");
    return error;
  }
  Result<Fd> directory = open_directory(parent, name);
  if (!directory) {
    ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
    return named(directory.error(), parent_path);
  }
  return Cgroup(std::move(*directory), std::move(path));
}

Result<Cgroup> Cgroup::open(std::string path) {
  Fd directory = TRY(open_directory(AT_FDCWD, path));
  return Cgroup(std::move(directory), std::move(path));
}

Result<void> Cgroup::write(const Write& write) const {
  const Result<void> written = sys::write_file_at(fd(), write.file.c_str(), write.value);
  if (written || (write.optional && written.error().code() == ENOENT)) return {};
  Error error(written.error().code(), "write ", write.value, " to ", write.file);
  if (error.code() == ENOENT)
    error.hint("cgroup.subtree_control above ", path_, " does not pass this controller on");
  return write.origin.empty() ? named(error, path_) : error.in(write.origin, ": ");
}

Result<std::string> Cgroup::read(const std::string& file) const {
  Result<std::string> text = read_file_at(fd(), file);
  if (!text) return named(text.error(), path_);
  return text;
}

std::uint64_t Cgroup::counter(const std::string& file, std::string_view key) const {
  const Result<std::string> text = read(file);
  return text ? flat_keyed(*text, key).value_or(0) : 0;
}

Result<void> Cgroup::delegate(uid_t uid, gid_t gid) const {
  for (const char* file : {".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"})
    if (::fchownat(fd(), file, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
      return Error(errno, "give ", path_, "/", file, " to the jail");
  return {};
}

Result<bool> Cgroup::populated() const {
  const std::string text = TRY(read("cgroup.events"));
  return flat_keyed(text, "populated") != 0;
}

Result<std::vector<int>> Cgroup::pids() const {
  std::vector<int> pids;
  const auto collect = [&](int directory) -> Result<void> {
    const Result<std::string> text = read_file_at(directory, "cgroup.procs");
    if (!text) {
      // EOPNOTSUPP: a threaded cgroup, whose processes its domain lists.
      if (gone(text.error()) || text.error().code() == EOPNOTSUPP) return {};
      return text.error();
    }
    for (const std::string_view line : split(*text, '\n'))
      // 0 is a process of a PID namespace that is not below ours.
      if (const auto pid = parse_decimal(line, INT32_MAX); pid.value_or(0) != 0)
        pids.push_back(static_cast<int>(*pid));
    return {};
  };
  const auto visit = [&](int directory, int, const std::string&) { return collect(directory); };
  Result<void> walked = collect(fd());
  if (walked) walked = for_each_below(fd(), steady_clock::now() + kWalkPatience, visit);
  if (!walked) return named(walked.error(), path_);
  return pids;
}

Result<void> Cgroup::freeze(bool frozen) const {
  Result<void> done = sys::write_file_at(fd(), "cgroup.freeze", frozen ? "1" : "0");
  if (done) {
    done = wait_for_event(fd(), "frozen", frozen ? 1 : 0, steady_clock::now() + kFreezePatience);
    // Half a tree that stands still is worse than one that runs: it may hold what the rest needs.
    if (!done && frozen) best_effort(sys::write_file_at(fd(), "cgroup.freeze", "0"));
  }
  if (!done) return named(done.error(), path_);
  return {};
}

Result<void> Cgroup::signal_all(int signal) const {
  // Frozen, no process can fork away between the list and its signal. SIGKILL reaches a frozen one.
  const bool frozen = freeze(true).has_value();
  const Result<void> signalled = [&]() -> Result<void> {
    const std::vector<int> listed = TRY(pids());
    std::vector<std::pair<int, Fd>> held;
    for (const int pid : listed) {
      Result<Fd> pidfd = sys::pidfd_open(pid);
      if (pidfd)
        held.emplace_back(pid, std::move(*pidfd));
      else if (pidfd.error().code() == ENOSYS)
        return pidfd.error();
    }
    // A pid may have been given anew before it was opened. One that is still listed afterwards has
    // been this process all along, or its pidfd is of a dead one and the signal goes nowhere.
    const std::vector<int> still = TRY(pids());
    for (const auto& [pid, pidfd] : held)
      if (std::find(still.begin(), still.end(), pid) != still.end())
        best_effort(sys::pidfd_send_signal(pidfd.get(), signal));
    return {};
  }();
  if (frozen) TRY(freeze(false));
  return signalled;
}

Result<void> Cgroup::kill_one_by_one() const {
  const Deadline deadline = steady_clock::now() + kKillPatience;
  for (;;) {
    TRY(signal_all(SIGKILL));
    const Deadline round = std::min(deadline, steady_clock::now() + kSignalRound);
    const Result<void> empty = wait_for_event(fd(), "populated", 0, round);
    if (empty || empty.error().code() != ETIMEDOUT || round == deadline) return empty;
  }
}

Result<void> Cgroup::kill() const {
  Result<void> dead = sys::write_file_at(fd(), "cgroup.kill", "1");
  if (dead)
    dead = wait_for_event(fd(), "populated", 0, steady_clock::now() + kKillPatience);
  else if (gone(dead.error()))  // a kernel before 5.14, or a cgroup that has been removed
    dead = kill_one_by_one();
  if (dead || gone(dead.error())) return {};
  if (dead.error().code() == ETIMEDOUT)
    dead.error().hint("a process in uninterruptible sleep (state D) dies when its I/O ends");
  return named(dead.error(), path_);
}

Result<void> Cgroup::remove(milliseconds patience) {
  const Deadline deadline = steady_clock::now() + patience;
  const auto remove_one = [](int, int parent, const std::string& name) -> Result<void> {
    // EBUSY: a process whose exit is still under way; the next round finds it gone.
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == EBUSY || errno == ENOENT)
      return {};
    return Error(errno, "remove cgroup ", name);
  };
  while (::rmdir(path_.c_str()) < 0 && errno != ENOENT) {
    if (errno != EBUSY) return Error(errno, "remove cgroup ", path_);
    if (steady_clock::now() > deadline) return Error(EBUSY, "remove cgroup ", path_);
    Result<void> emptied = for_each_below(fd(), deadline, remove_one);
    if (emptied) emptied = wait_for_event(fd(), "populated", 0, deadline);
    if (!emptied && !gone(emptied.error())) return named(emptied.error(), path_);
  }
  directory_.reset();
  return {};
}

Result<void> Cgroup::kill_and_remove() {
  if (::rmdir(path_.c_str()) == 0) {
    directory_.reset();
    return {};
  }
  TRY(kill());
  return remove();
}

}  // namespace jaula::cgroups
