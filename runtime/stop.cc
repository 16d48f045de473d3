#include "runtime/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cgroups/cgroup.h"
#include "cgroups/hierarchy.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula {
namespace {

constexpr const char* kStopAsked = "stop";
// A monitor has milliseconds of work left when its jail has died; one that does not do it in this
// time is stopped or stuck, and we do it.
constexpr std::chrono::milliseconds kMonitorTime{5'000};

Error not_running(const std::string& name) {
  return Error(0, "the jail ", name, " is not running")
      .hint("`jaula ps -a` shows how it ended, `jaula logs ", name, "` what it said");
}

std::string cgroup_path(const StateStore& store, const Seen& seen) {
  if (seen.state) return seen.state->cgroup;
  const std::string parent = cgroups::look().parent;
  return parent.empty() ? parent : parent + "/" + store.cgroup_name(seen.directory.name());
}

Result<void> kill_everything(const StateStore& store, const Seen& seen) {
  const std::string path = cgroup_path(store, seen);
  if (!path.empty()) {
    Result<cgroups::Cgroup> cgroup = cgroups::Cgroup::open(path);
    if (cgroup) return cgroup->kill();
    if (cgroup.error().code() != ENOENT) return cgroup.error();
  }
  // Without a cgroup PID 1 is the handle: with it the kernel ends its pid namespace. An id of
  // another boot names nobody.
  if (!seen.state || seen.state->boot_id != boot_id()) return {};
  if (const auto init = TRY(open_process(seen.state->init))) {
    Result<void> sent = sys::pidfd_send_signal(init->get(), SIGKILL);
    if (!sent && sent.error().code() != ESRCH) return sent;
    [[maybe_unused]] const bool ended = TRY(wait_for_end(*init, kMonitorTime));
  }
  return {};
}

Result<void> clear_processes(const StateStore& store, const Seen& seen) {
  TRY(kill_everything(store, seen));
  const std::string path = cgroup_path(store, seen);
  if (path.empty()) return {};
  Result<cgroups::Cgroup> cgroup = cgroups::Cgroup::open(path);
  if (!cgroup) return cgroup.error().code() == ENOENT ? Result<void>() : cgroup.error();
  return cgroup->remove();
}

// Under the lock: kills what lives and deletes the record. A monitor that still lives is let
// finish first, so that two do not clear the same jail; unless it was waited for already.
Result<void> clear_all(const StateStore& store, Seen& seen, bool waited = false) {
  TRY(kill_everything(store, seen));
  if (!waited && seen.state && seen.state->boot_id == boot_id()) {
    if (const auto monitor = TRY(open_process(seen.state->monitor))) {
      seen.directory.unlock();
      [[maybe_unused]] const bool ended = TRY(wait_for_end(*monitor, kMonitorTime));
      Result<void> locked = seen.directory.lock();
      if (!locked) return locked.error().code() == ENOENT ? Result<void>() : locked;
    }
  }
  TRY(clear_processes(store, seen));
  return seen.directory.remove();
}

// Asks the payload to end, and insists after the grace period.
Result<void> end_payload(const StateStore& store, const Seen& seen,
                         std::chrono::milliseconds grace) {
  const auto init = TRY(open_process(seen.state->init));
  if (!init) return {};
  Result<void> asked = sys::pidfd_send_signal(init->get(), seen.state->config.extra.stop_signal);
  if (!asked && asked.error().code() != ESRCH) return asked;
  if (TRY(wait_for_end(*init, grace))) return {};
  return kill_everything(store, seen);
}

// What the record says now, and what is true of it.
Result<void> refresh(Seen& seen) {
  Result<JailState> state = seen.directory.load();
  seen.state.reset();
  seen.unreadable.reset();
  seen.monitored = seen.running = false;
  if (!state) {
    const int reason = state.error().code();
    if (reason == EBADMSG || reason == EFBIG) seen.unreadable = state.error();
    return reason == ENOENT || seen.unreadable ? Result<void>() : state.error();
  }
  seen.state = std::move(*state);
  const bool this_boot = seen.state->boot_id == boot_id();
  seen.monitored = this_boot && TRY(open_process(seen.state->monitor)).has_value();
  seen.running = this_boot && seen.state->status != Status::kExited &&
                 TRY(open_process(seen.state->init)).has_value();
  return {};
}

Result<void> sweep_one(const StateStore& store, const std::string& name) {
  Seen seen{.directory = TRY(store.open(name))};
  // Looked at under the lock: whoever starts the jail holds it until the jail runs.
  if (!TRY(seen.directory.try_lock())) return {};
  TRY(refresh(seen));
  // A jail may run behind a record that only another jaula can read.
  if (seen.monitored || seen.unreadable) return {};
  const bool kept = seen.state && seen.state->detached && !seen.state->remove_at_exit;
  if (kept && seen.state->status == Status::kExited) return {};
  TRY(clear_processes(store, seen));
  if (!kept) return seen.directory.remove();
  return seen.directory.save_exit({.code = 128 + SIGKILL,
                                   .signal = SIGKILL,
                                   .reason = EndReason::kMonitorLost,
                                   .detail = "its monitor was killed, and the jail with it",
                                   .at = now_nanoseconds()});
}

}  // namespace

Result<Seen> look_at(const StateStore& store, const std::string& name) {
  Seen seen{.directory = TRY(store.open(name))};
  TRY(refresh(seen));
  return seen;
}

Result<void> stop_jail(const StateStore& store, const std::string& name,
                       const StopOptions& options) {
  {
    // Whoever is starting it holds the lock until it runs.
    JailDirectory directory = TRY(store.open(name));
    Result<void> locked = directory.lock();
    if (!locked) return locked.error().code() == ENOENT ? Result<void>() : locked;
  }
  Seen seen = TRY(look_at(store, name));
  if (seen.unreadable) return *seen.unreadable;
  if (seen.running) {
    // Tells the monitor why; on a full disk the end is recorded as that of a signal.
    [[maybe_unused]] const Result<Fd> marked =
        sys::openat(seen.directory.fd(), kStopAsked, O_WRONLY | O_CREAT, 0600);
    TRY(end_payload(store, seen,
                    options.grace.value_or(seen.state->config.extra.stop_grace_period)));
  }
  bool waited = false;
  if (seen.monitored)
    if (const auto monitor = TRY(open_process(seen.state->monitor))) {
      waited = true;
      [[maybe_unused]] const bool ended = TRY(wait_for_end(*monitor, kMonitorTime));
    }
  Result<void> locked = seen.directory.lock();
  if (!locked) return locked.error().code() == ENOENT ? Result<void>() : locked;
  if (!options.keep) return clear_all(store, seen, waited);
  seen.directory.unlock();
  return sweep_one(store, name);
}

Result<void> signal_jail(const StateStore& store, const std::string& name, int signal, bool all) {
  const Seen seen = TRY(look_at(store, name));
  if (seen.unreadable) return *seen.unreadable;
  if (!seen.running) return not_running(name);
  if (!all) {
    const auto init = TRY(open_process(seen.state->init));
    if (!init) return not_running(name);
    // Nobody can pass it on: PID 1 would stop, and the payload go on without anybody who waits.
    if (signal == SIGSTOP && seen.state->config.extra.init)
      return Error(0, "the reaper that is PID 1 of ", name, " cannot pass SIGSTOP on")
          .hint("send SIGTSTP, or SIGSTOP to all processes with --all");
    return sys::pidfd_send_signal(init->get(), signal);
  }
  if (seen.state->cgroup.empty())
    return Error(0, "the jail ", name, " has no cgroup that lists its processes")
        .hint("leave --all out; the payload is then signalled alone");
  const cgroups::Cgroup cgroup = TRY(cgroups::Cgroup::open(seen.state->cgroup));
  return signal == SIGKILL ? cgroup.kill() : cgroup.signal_all(signal);
}

Result<void> remove_jail(const StateStore& store, const std::string& name, bool force) {
  Seen seen = TRY(look_at(store, name));
  if (force && seen.running) TRY(kill_everything(store, seen));
  Result<void> locked = seen.directory.lock();
  if (!locked) return locked.error().code() == ENOENT ? Result<void>() : locked;
  // What was being made when we came runs now, or is gone.
  TRY(refresh(seen));
  if (seen.unreadable && !force) return *seen.unreadable;
  if (seen.running && !force)
    return Error(0, "the jail ", name, " is running").hint("stop it first, or use `rm -f`");
  return clear_all(store, seen);
}

Result<void> clear_remains(const StateStore& store, const std::string& name) {
  Result<void> swept = sweep_one(store, name);
  if (!swept) return swept.error().code() == ENOENT ? Result<void>() : swept;
  Result<Seen> seen = look_at(store, name);
  if (!seen) return seen.error().code() == ENOENT ? Result<void>() : seen.error();
  if (!seen->state || seen->state->status != Status::kExited) return {};
  const Result<bool> locked = seen->directory.try_lock();
  if (!locked && locked.error().code() == ENOENT) return {};
  if (!TRY(locked)) return {};
  return clear_all(store, *seen);
}

void sweep(const StateStore& store) {
  Result<std::vector<std::string>> names = store.claimed_names();
  if (!names) return;
  for (const std::string& name : *names) {
    Result<void> swept = sweep_one(store, name);
    if (!swept && swept.error().code() != ENOENT)
      log::debug("clear ", name, ": ", swept.error().text());
  }
}

bool stop_was_asked(const JailDirectory& directory) noexcept {
  return ::faccessat(directory.fd(), kStopAsked, F_OK, 0) == 0;
}

}  // namespace jaula
