#include "runtime/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/base/timing.h"
#include "runtime/denials.h"
#include "runtime/join.h"
#include "runtime/launch.h"
#include "runtime/notify.h"
#include "runtime/own_file.h"
#include "runtime/plan/id_maps.h"
#include "runtime/plan/mounts.h"
#include "runtime/plan/seccomp.h"
#include "runtime/running.h"
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
  Result<void> plan();   // prints what is wrong with it
  Result<void> claim();  // the name, and directories that the spec lets us make
  Result<void> start();  // cgroup, process, state
  Result<Exit> live();   // to the end
  Error hand_over() { return become_monitor(jail_, store_.roots()); }
  void abandon() noexcept { claimed_ = false; }  // another process has taken over

 private:
  Result<void> assemble();
  Result<void> make_cgroup();
  Result<void> take_ids();
  Result<void> delegate_cgroup();
  Result<void> save_running();
  void tell_unreported() const;

  StateStore& store_;
  const spec::JailConfig& config_;
  const RunOptions& options_;
  bool claimed_ = false;
  plan::HostFacts facts_;
  plan::LaunchPlan plan_;
  std::vector<JoinTarget> joins_;
  Running jail_;
};

void Birth::undo() noexcept {
  jail_.process.reset();
  if (!claimed_) return;
  claimed_ = false;
  if (jail_.cgroup) {
    if (Result<void> undone = jail_.cgroup.kill_and_remove(); !undone) log::error(undone.error());
  }
  if (Result<void> removed = jail_.directory.remove(); !removed) log::error(removed.error());
}

Result<void> Birth::claim() {
  Result<JailDirectory> made = store_.create(config_.name);
  if (!made && made.error().code() == EEXIST) {
    // What has ended, or lost its monitor, is no hindrance: a name is in use while a jail runs.
    TRY(clear_remains(store_, config_.name));
    made = store_.create(config_.name);
  }
  jail_.directory = TRY(std::move(made));
  claimed_ = true;
  log::debug(config_.name, ": record ", jail_.directory.path());
  for (const std::string& directory : plan::directories_to_make(config_)) {
    TRY(make_directories(directory, 0755));
    // Files are mapped one to one: the jail's user can write what was made for it.
    const spec::User& user = config_.process.user;
    if (facts_.privileged() && ::lchown(directory.c_str(), user.uid, user.gid) < 0)
      return Error(errno, "give ", directory, " to the jail's user ", user.uid);
  }
  return {};
}

Result<void> Birth::plan() {
  facts_ = plan::probe_for(config_);
  plan::PlanOptions options{
      .degrade = options_.degrade,
      .terminal_size = options_.stdio.terminal ? terminal_size_of_caller() : winsize{},
      .userland = {}};
  if (config_.extra.root_kind == spec::RootKind::kHost) options.userland = plan::probe_userland();
  plan::Planned planned = plan::make_plan(config_, facts_, options);
  if (!planned.problems.empty()) {
    for (std::size_t i = 0; i + 1 < planned.problems.size(); ++i) log::error(planned.problems[i]);
    return planned.problems.back();
  }
  plan_ = std::move(planned.plan);
  if (plan_.joined != 0) joins_ = TRY(open_namespaces(store_, config_));
  for (const std::string& warning : plan_.degraded) log::line(log::Level::kWarning, warning);
  timing::note("plan");
  return {};
}

Result<void> Birth::make_cgroup() {
  if (!plan_.in_cgroup) return {};
  const Fd parent = TRY(cgroups::prepare_parent(facts_.cgroups));
  const std::string name = store_.cgroup_name(config_.name);
  Result<cgroups::Cgroup> made = cgroups::Cgroup::create(parent.get(), facts_.cgroups.parent, name);
  if (!made && made.error().code() == EEXIST) {
    // The name is ours, so what stands there was left by a monitor that was killed; but a jail of
    // another mount namespace, whose records are not to be seen here, may have it too.
    cgroups::Cgroup left = TRY(cgroups::Cgroup::open(facts_.cgroups.parent + "/" + name));
    if (TRY(left.populated()))
      return Error(EBUSY, "make cgroup ", left.path())
          .hint(
              "processes live in it, of a jail whose record is not below this --root: stop it "
              "where "
              "it was started, or end them with `echo 1 >",
              left.path(), "/cgroup.kill`");
    TRY(left.remove());
    made = cgroups::Cgroup::create(parent.get(), facts_.cgroups.parent, name);
  }
  jail_.cgroup = TRY(std::move(made));
  log::debug(config_.name, ": cgroup ", jail_.cgroup.path());
  for (const cgroups::Write& write : plan_.cgroup_writes) {
    log::debug(config_.name, ": ", write.file, " = ", write.value);
    TRY(jail_.cgroup.write(write));
  }
  TRY(cgroups::attach(jail_.cgroup, plan_.device_program));
  return {};
}

Result<void> Birth::take_ids() {
  using Mode = spec::UserNamespace::Mode;
  if (config_.extra.userns == Mode::kMap && facts_.privileged()) {
    Result<void> taken = store_.take_mapped_ids(jail_.directory, config_);
    return taken ? taken : taken.error().in(config_.extra.userns_origin, ": ");
  }
  if (config_.extra.userns != Mode::kAuto || !facts_.privileged()) return {};
  jail_.state.id_base = TRY(store_.take_id_range(jail_.directory));
  log::debug(config_.name, ": host ids from ", jail_.state.id_base, " on");
  plan_.ids = TRY(plan::make_id_plan(config_, facts_, jail_.state.id_base)).maps;
  return {};
}

// To root of the jail, which makes cgroups of its own then. Started by a user it is theirs already.
Result<void> Birth::delegate_cgroup() {
  if (config_.extra.nesting == 0 || !jail_.cgroup || !facts_.privileged()) return {};
  const auto root = [](std::uint32_t base, const std::vector<spec::IdMapping>& mappings) {
    for (const spec::IdMapping& mapping : mappings)
      if (mapping.container_id == 0) return mapping.host_id;
    return base;
  };
  const std::uint32_t base = jail_.state.id_base;
  return jail_.cgroup.delegate(root(base, config_.uid_mappings), root(base, config_.gid_mappings));
}

Result<void> Birth::save_running() {
  jail_.state.name = config_.name;
  jail_.state.status = Status::kRunning;
  jail_.state.boot_id = boot_id();
  jail_.state.monitor = TRY(process_id(::getpid()));
  jail_.state.init = TRY(process_id(jail_.process->pid()));
  jail_.state.created = now_nanoseconds();
  jail_.state.cgroup = jail_.cgroup.path();
  jail_.state.detached = options_.stdio.detached;
  jail_.state.remove_at_exit = options_.remove_at_exit;
  jail_.state.degraded = plan_.degraded;
  jail_.state.config = config_;
  // What may be lacking at the start may be lacking for exec.
  if (options_.degrade) std::erase(jail_.state.config.extra.require, spec::Layer::kLandlock);
  return jail_.directory.save(jail_.state);
}

// Nothing is less protected then, so that is no warning.
void Birth::tell_unreported() const {
  const isolation::SeccompFilter& own = plan_.payload.filter;
  const isolation::SeccompFilter& filter = own.instructions.empty() ? plan_.seccomp : own;
  if (plan::report_denials(filter.instructions).empty()) return;
  record_unreported(jail_.directory.fd());
  log::info(config_.name, ": denied system calls are not reported: see docs/security.md");
}

Result<void> Birth::start() {
  Result<void> started = assemble();
  if (!started) return explained(started.error());
  return started;
}

Result<void> Birth::assemble() {
  if (options_.stdio.detached)
    jail_.log.emplace(TRY(LogWriter::open(jail_.directory.log_path(), {})));
  jail_.stdio.emplace(TRY(Stdio::make(options_.stdio, jail_.log ? &*jail_.log : nullptr)));
  jail_.signals = TRY(block_signals());
  timing::note("name, standard streams");
  TRY(make_cgroup());
  timing::note("cgroup");
  jail_.process.emplace(
      TRY(launch(plan_, jail_.cgroup ? jail_.cgroup.fd() : -1, jail_.stdio->child_ends(), joins_)));
  timing::note("clone");
  joins_.clear();
  // While the child is on its first steps, it is decided whose ids it gets; while it assembles its
  // root, the record is written.
  TRY(take_ids());
  TRY(delegate_cgroup());
  timing::note("choice of ids");
  TRY(jail_.process->admit(plan_));
  timing::note("id maps, the go");
  TRY(save_running());
  timing::note("record");
  TRY(jail_.process->confirm(jail_.directory.fd()));
  timing::note("wait for execve");
  if (!jail_.process->listener()) tell_unreported();
  TRY(jail_.stdio->started(jail_.process->terminal()));
  log::info(config_.name, ": runs as process ", jail_.process->pid());
  if (options_.unit) TRY(notify_manager("READY=1\nSTATUS=running"));
  jail_.directory.unlock();
  return {};
}

Result<Exit> Birth::live() {
  plan_ = {};
  facts_ = {};
  const Ended ended = TRY(watch(jail_, options_.unit));
  timing::note("payload, and its end");
  Result<Exit> buried = bury(jail_, ended);
  timing::note("cgroup and record deleted");
  claimed_ = !buried;
  return buried;
}

Result<int> run_to_end(Birth& birth, const spec::JailConfig& config, const RunOptions& options) {
  TRY(birth.start());
  const Exit exit = TRY(birth.live());
  if (!exit.detail.empty()) log::line(log::Level::kError, config.name + ": " + exit.detail);
  log::info(config.name, ": ended with ", exit.code);
  if (options.unit && exit.signal != 0 && exit.reason != EndReason::kTimeLimit) {
    // The service manager is to see the same end: a service that dies of its stop signal has
    // stopped cleanly, one that exits with 143 has failed. systemd.service(5)
    // It is not this process that has something to dump. core(5)
    TRY(sys::prctl(PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE"));
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
  [[maybe_unused]] const Result<void> sent = send_message(tell.get(), told);
  tell.reset();
  if (started) {
    // From here on nobody reads what we say; the record and the log are what is left to tell.
    if (Result<Fd> null = sys::open("/dev/null", O_RDWR))
      for (const int fd : {0, 1, 2}) ::dup2(null->get(), fd);  // NOLINT(android-cloexec-dup)
    [[maybe_unused]] const Error here = birth.hand_over();
    [[maybe_unused]] const Result<Exit> exit = birth.live();  // then it is only bigger
  }
  birth.undo();
  ::_exit(0);
}

Result<int> run_detached(Birth& birth, const StateStore& store, const spec::JailConfig& config) {
  // Every later verb reaches the jail through a pidfd: without, nobody could stop it.
  const Fd self = TRY(sys::pidfd_open(::getpid()));
  TRY(sys::pidfd_send_signal(self.get(), 0));
  SyncPair pair = TRY(make_sync_pair());
  const pid_t monitor = ::fork();
  if (monitor < 0) return Error(errno, "fork the monitor");
  if (monitor == 0) {
    pair.parent.reset();
    monitor_main(birth, std::move(pair.child));
  }
  pair.child.reset();
  birth.abandon();
  const SyncMessage told = TRY(receive_message(pair.parent.get()));
  if (told.kind == SyncMessage::Kind::kFailed) return told.error;
  if (told.kind == SyncMessage::Kind::kEof)
    return Error(0, "the monitor of ", config.name, " ended before the payload ran");
  const std::string line = config.name + "\n";
  Result<void> written = sys::write_all(1, line, "standard output");
  if (written) return 0;
  // Whoever does not learn its name takes it for not started.
  TRY(remove_jail(store, config.name, true));
  return written.error();
}

}  // namespace

Result<int> run_jail(StateStore& store, const spec::JailConfig& config, const RunOptions& options) {
  TRY(protect_own_file(config));
  Birth birth(store, config, options);
  TRY(birth.plan());
  if (options.replace) {
    // Only now that the new one can start as far as can be seen.
    Result<void> removed = remove_jail(store, config.name, true);
    if (!removed && removed.error().code() != ENOENT) return removed.error();
  }
  TRY(birth.claim());
  if (options.stdio.detached) return run_detached(birth, store, config);
  return run_to_end(birth, config, options);
}

}  // namespace jaula
