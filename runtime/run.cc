#include "runtime/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch.h"
#include "runtime/monitor.h"
#include "runtime/notify.h"
#include "runtime/stop.h"
#include "runtime/sync.h"

namespace jaula {
namespace {

// A jail on its way: what exists of it so far, undone by the destructor.
class Birth {
 public:
  Birth(StateStore& store, const spec::JailConfig& config, const RunOptions& options)
      : store_(store), config_(config), options_(options) {}
  Birth(const Birth&) = delete;
  Birth& operator=(const Birth&) = delete;
  ~Birth() { undo(); }

  void undo() noexcept;  // kills and deletes what exists so far
  Result<void> claim();  // name, id range
  Result<void> plan();   // the plan; prints what is wrong with it
  Result<void> start();  // cgroup, process, state
  Result<Ended> live();  // to the end
  Result<Exit> bury(const Ended& ended);
  void abandon() noexcept { claimed_ = false; }  // another process has taken over

  [[nodiscard]] const JailState& state() const noexcept { return state_; }

 private:
  Result<void> make_cgroup();
  Result<void> save_running();
  [[nodiscard]] Exit exit_of(const Ended& ended) const;
  static Result<void> kill_all(void* self);

  StateStore& store_;
  const spec::JailConfig& config_;
  const RunOptions& options_;
  bool claimed_ = false;
  JailDirectory directory_;
  plan::HostFacts facts_;
  plan::LaunchPlan plan_;
  cgroups::Cgroup cgroup_;
  JailState state_;
  std::optional<LogWriter> log_;
  std::optional<Stdio> stdio_;
  Fd signals_;
  std::optional<Launched> process_;
};

void Birth::undo() noexcept {
  process_.reset();
  if (!claimed_) return;
  claimed_ = false;
  if (cgroup_) {
    for (Result<void> undone : {cgroup_.kill(), cgroup_.remove()})
      if (!undone) log::error(undone.error());
  }
  if (Result<void> removed = directory_.remove(); !removed) log::error(removed.error());
}

Result<void> Birth::claim() {
  Result<JailDirectory> made = store_.create(config_.name);
  if (!made && made.error().code() == EEXIST) {
    // What has ended, or lost its monitor, is no hindrance: a name is in use while a jail runs.
    TRY(clear_remains(store_, config_.name));
    made = store_.create(config_.name);
  }
  directory_ = TRY(std::move(made));
  claimed_ = true;
  facts_ = plan::probe_for_start();
  const bool own_range =
      config_.extra.userns == spec::UserNamespace::Mode::kAuto && facts_.privileged();
  if (own_range) state_.id_base = TRY(store_.take_id_range(directory_));
  return {};
}

Result<void> Birth::plan() {
  plan::PlanOptions options{.id_base = state_.id_base,
                            .degrade = options_.degrade,
                            .terminal_size = terminal_size_of_caller(),
                            .userland = {}};
  if (config_.extra.root_kind == spec::RootKind::kHost) options.userland = plan::probe_userland();
  plan::Planned planned = plan::make_plan(config_, facts_, options);
  if (!planned.problems.empty()) {
    for (std::size_t i = 0; i + 1 < planned.problems.size(); ++i) log::error(planned.problems[i]);
    return planned.problems.back();
  }
  plan_ = std::move(planned.plan);
  for (const std::string& warning : plan_.degraded) log::line(log::Level::kWarning, warning);
  return {};
}

Result<void> Birth::make_cgroup() {
  if (!plan_.in_cgroup) return {};
  const Fd parent = TRY(cgroups::prepare_parent(facts_.cgroups));
  const std::string name = store_.cgroup_name(config_.name);
  Result<cgroups::Cgroup> made = cgroups::Cgroup::create(parent.get(), facts_.cgroups.parent, name);
  if (!made && made.error().code() == EEXIST) {
    // The name is ours, so what stands there was left by a monitor that was killed.
    cgroups::Cgroup left = TRY(cgroups::Cgroup::open(facts_.cgroups.parent + "/" + name));
    TRY(left.kill());
    TRY(left.remove());
    made = cgroups::Cgroup::create(parent.get(), facts_.cgroups.parent, name);
  }
  cgroup_ = TRY(std::move(made));
  for (const cgroups::Write& write : plan_.cgroup_writes) {
    Result<void> written = cgroup_.write(write);
    if (!written && !write.origin.empty()) written.error().in(write.origin, ": ");
    if (!written) return written;
  }
  return {};
}

Result<void> Birth::save_running() {
  state_.name = config_.name;
  state_.status = Status::kRunning;
  state_.boot_id = boot_id();
  state_.monitor = TRY(process_id(::getpid()));
  state_.init = TRY(process_id(process_->pid()));
  state_.created = now_nanoseconds();
  state_.cgroup = cgroup_.path();
  state_.detached = options_.stdio.detached;
  state_.remove_at_exit = options_.remove_at_exit;
  state_.degraded = plan_.degraded;
  state_.config = config_;
  return directory_.save(state_);
}

Result<void> Birth::start() {
  if (options_.stdio.detached) log_.emplace(TRY(LogWriter::open(directory_.log_path(), {})));
  stdio_.emplace(TRY(Stdio::make(options_.stdio, log_ ? &*log_ : nullptr)));
  signals_ = TRY(block_signals());
  TRY(make_cgroup());
  process_.emplace(TRY(launch(plan_, cgroup_ ? cgroup_.fd() : -1, stdio_->child_ends())));
  // While the child assembles its root, the record is written.
  TRY(save_running());
  TRY(process_->confirm());
  TRY(stdio_->started(process_->terminal()));
  if (options_.unit) TRY(notify_manager("READY=1\nSTATUS=running"));
  directory_.unlock();
  return {};
}

Result<void> Birth::kill_all(void* self) {
  const Birth& birth = *static_cast<Birth*>(self);
  return birth.cgroup_ ? birth.cgroup_.kill() : Result<void>();
}

Result<Ended> Birth::live() {
  const Watch how{.stop_signal = config_.extra.stop_signal,
                  .grace = config_.extra.stop_grace_period,
                  .time_limit = config_.extra.time_limit,
                  .terminate_stops = options_.unit || options_.stdio.detached,
                  .kill_all = kill_all,
                  .context = this};
  return watch(*process_, *stdio_, signals_, how);
}

Exit Birth::exit_of(const Ended& ended) const {
  Exit exit{.code = ended.code,
            .signal = ended.signal,
            .reason = ended.signal != 0 ? EndReason::kSignal : EndReason::kExited,
            .detail = {},
            .at = now_nanoseconds()};
  const std::uint64_t kills = cgroup_ ? cgroup_.counter("memory.events", "oom_kill") : 0;
  if (ended.time_limit) {
    exit.reason = EndReason::kTimeLimit;
    exit.code = static_cast<int>(ExitCode::kTimeLimit);
    exit.detail = "time_limit reached";
  } else if (ended.signal == SIGKILL && kills > 0 && config_.resources.memory) {
    exit.reason = EndReason::kOom;
    exit.detail = "out of memory: mem_limit of " + std::to_string(config_.resources.memory->value) +
                  " bytes reached";
  } else if (ended.terminated || stop_was_asked(directory_)) {
    exit.reason = EndReason::kStopped;
  }
  return exit;
}

Result<Exit> Birth::bury(const Ended& ended) {
  stdio_.reset();
  if (log_) log_->finish();
  const Exit exit = exit_of(ended);
  if (cgroup_) {
    TRY(cgroup_.kill());
    TRY(cgroup_.remove());
    cgroup_ = cgroups::Cgroup();
  }
  // A waiter reads the end from its open file, even when the record goes with the next line.
  TRY(directory_.save_exit(exit));
  if (options_.stdio.detached && !options_.remove_at_exit) {
    claimed_ = false;
    return exit;
  }
  TRY(directory_.lock());
  claimed_ = false;
  TRY(directory_.remove());
  return exit;
}

Result<int> run_to_end(Birth& birth, const spec::JailConfig& config, const RunOptions& options) {
  TRY(birth.start());
  const Ended ended = TRY(birth.live());
  const Exit exit = TRY(birth.bury(ended));
  if (!exit.detail.empty()) log::line(log::Level::kError, config.name + ": " + exit.detail);
  if (options.unit && exit.signal != 0 && exit.reason != EndReason::kTimeLimit) {
    // The service manager is to see the same end: a service that dies of its stop signal has
    // stopped cleanly, one that exits with 143 has failed. systemd.service(5)
    ::signal(exit.signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::raise(exit.signal);
  }
  return exit.code;
}

// The monitor of a detached jail: the jail's real parent, of no terminal and no session of the
// caller's. Tells the caller how the start went, then nobody waits for it.
[[noreturn]] void monitor_main(Birth& birth, Fd tell) {
  ::setsid();
  if (::chdir("/") < 0) ::_exit(static_cast<int>(ExitCode::kFailure));
  SyncMessage told{.kind = SyncMessage::Kind::kExecuting};
  Result<void> started = birth.start();
  if (!started) {
    birth.undo();  // before the caller hears of it: then nothing is left
    told = {.kind = SyncMessage::Kind::kFailed, .error = started.error()};
  }
  [[maybe_unused]] const Result<void> sent = send_message(tell.get(), told, {});
  tell.reset();
  if (started) {
    // From here on nobody reads what we say; the record and the log are what is left to tell.
    if (Result<Fd> null = sys::open("/dev/null", O_RDWR))
      for (const int fd : {0, 1, 2}) ::dup2(null->get(), fd);  // NOLINT(android-cloexec-dup)
    Result<Ended> ended = birth.live();
    if (ended) [[maybe_unused]]
      const Result<Exit> buried = birth.bury(*ended);
  }
  birth.undo();
  ::_exit(0);
}

Result<int> run_detached(Birth& birth, const spec::JailConfig& config) {
  SyncPair pair = TRY(make_sync_pair());
  const pid_t monitor = ::fork();
  if (monitor < 0) return Error(errno, "fork the monitor");
  if (monitor == 0) {
    pair.parent.reset();
    monitor_main(birth, std::move(pair.child));
  }
  pair.child.reset();
  birth.abandon();
  const SyncMessage told = TRY(receive_message(pair.parent.get(), {}));
  if (told.kind == SyncMessage::Kind::kFailed) return told.error;
  if (told.kind == SyncMessage::Kind::kEof)
    return Error(0, "the monitor of ", config.name, " ended before the payload ran");
  const std::string line = config.name + "\n";
  TRY(sys::write_all(1, line, "standard output"));
  return 0;
}

}  // namespace

Result<int> run_jail(StateStore& store, const spec::JailConfig& config, const RunOptions& options) {
  Birth birth(store, config, options);
  TRY(birth.claim());
  TRY(birth.plan());
  if (options.stdio.detached) return run_detached(birth, config);
  return run_to_end(birth, config, options);
}

}  // namespace jaula
