#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolation/init.h"
#include "isolation/network.h"
#include "isolation/session.h"
#include "isolation/terminal.h"
#include "runtime/base/memory.h"
#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"
#include "runtime/base/timing.h"
#include "runtime/sync.h"

namespace jaula {
namespace {

struct Child {
  const plan::LaunchPlan& plan;
  ChildFds fds;
  isolation::Premade premade;  // the procfs of the jail, for sysctls; attached by the mounts step
  Fd root;                     // the assembled root
  Fd pty;                      // the slave
  Fd listener = {};            // of the filter, until the parent has it
};

Result<void> session(Child&) noexcept { return isolation::enter_new_session(); }

// From the go on ids are mapped, and so are the trees that were cloned outside.
Result<void> await_go(Child& child) noexcept {
  const SyncMessage message = TRY(receive_message(child.fds.sync));
  if (message.kind == SyncMessage::Kind::kGo) return {};
  sys::exit_now(static_cast<int>(ExitCode::kFailure));  // the parent is gone: nobody to tell
}

Result<void> namespace_root(Child& child) noexcept {
  if ((child.plan.namespaces & CLONE_NEWUSER) == 0) return {};
  return isolation::become_namespace_root(child.plan.root_uid, child.plan.root_gid,
                                          child.plan.credentials.set_groups);
}

// Here, not in the clone: the root of a cgroup namespace is the cgroup of its maker, and only the
// child is in the jail's own. cgroup_namespaces(7)
Result<void> cgroup_namespace(Child& child) noexcept {
  if (!child.plan.cgroup_namespace) return {};
  return sys::unshare(CLONE_NEWCGROUP);
}

Result<void> hostname(Child& child) noexcept { return isolation::apply(child.plan.hostname); }

Result<void> network(Child& child) noexcept {
  if (!child.plan.loopback) return {};
  return isolation::bring_loopback_up();
}

Result<void> propagation(Child&) noexcept { return isolation::leave_peer_groups(); }

Result<void> procfs(Child& child) noexcept {
  if (child.premade.proc) return {};
  const bool own = child.plan.place == isolation::InitPlace::kFirst;
  Result<Fd> proc = own ? isolation::make_proc() : isolation::copy_proc();
  // mount_too_revealing() in fs/namespace.c. A filter refuses earlier, and says so itself.
  if (!proc && proc.error().code() == EPERM && proc.error().text().starts_with("mount "))
    proc.error().hint(
        "the /proc around us is partly covered, as in a container, and the kernel then gives no "
        "full one away: start that with --security-opt unmask=ALL (podman) or "
        "systempaths=unconfined (docker), or uncover it");
  child.premade.proc = TRY(std::move(proc));
  return {};
}

Result<void> time_namespace(Child& child) noexcept {
  return isolation::apply(child.plan.time, child.premade.proc.get());
}

// Where processes of others see this one, they must not read it. After the id maps: the parent
// could not write them any more.
Result<void> hidden(Child& child) noexcept {
  if (child.plan.place == isolation::InitPlace::kFirst) return {};
  return sys::prctl(PR_SET_DUMPABLE, mutant("hidden exec"), "PR_SET_DUMPABLE");
}

Result<void> sysctls(Child& child) noexcept {
  const int proc = mutant("private procfs") ? open_proc_in(child.plan.mounts.root.source)
                                            : child.premade.proc.get();
  Result<void> applied = isolation::apply(child.plan.sysctls, proc);
  if (!applied && applied.error().index() >= 0) {
    const auto& sysctl = child.plan.sysctls[static_cast<std::size_t>(applied.error().index())];
    if (!sysctl.origin.empty()) applied.error().in(sysctl.origin, ": ");
  }
  return applied;
}

// Until the payload's execve nothing is executed that they would be meant for.
Result<void> labels(Child& child) noexcept {
  return isolation::apply(child.plan.labels, child.premade.proc.get());
}

Result<void> mounts(Child& child) noexcept {
  const isolation::MountPlan& plan = child.plan.mounts;
  Result<Fd> root = isolation::apply(plan, child.fds.trees, child.premade);
  if (!root) {
    if (root.error().index() < 0) return root.error().in(plan.root.origin, ": root file system: ");
    const auto& op = plan.ops[static_cast<std::size_t>(root.error().index())];
    if (op.kind == isolation::MountOp::Kind::kBind ||
        op.kind == isolation::MountOp::Kind::kFileSystem)
      root.error().in("mount ", op.source, " on /", op.target, ": ");
    if (!op.origin.empty()) root.error().in(op.origin, ": ");
    return root.error();
  }
  child.root = TRY(std::move(root));
  return {};
}

Result<void> open_terminal(Child& child, int dev) noexcept {
  isolation::Pty pty = TRY(isolation::open_pty(dev, child.plan.terminal_size));
  TRY(send_message(child.fds.sync, {.kind = SyncMessage::Kind::kTerminal}, pty.master.get()));
  child.pty = std::move(pty.slave);
  // The payload's user may open its terminal by name.
  if (::fchown(child.pty.get(), child.plan.credentials.uid, static_cast<gid_t>(-1)) < 0)
    return Error(errno, "give the terminal to user ", child.plan.credentials.uid);
  const int slave = child.pty.get();
  child.fds.standard = {slave, slave, slave};
  return {};
}

Result<void> terminal(Child& child) noexcept {
  if (!child.plan.terminal) return {};
  const Fd dev = TRY(sys::openat(child.root.get(), "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return open_terminal(child, dev.get());
}

Result<void> pivot_root(Child& child) noexcept {
  return isolation::enter(child.root.get(), child.plan.mounts.root);
}

Result<void> fds(Child& child) noexcept {
  TRY(isolation::put_in_place(child.fds.standard));
  const int keep[] = {child.fds.sync, child.fds.status};
  return isolation::close_others({keep, child.fds.status < 0 ? 1U : 2U});
}

Result<void> landlock(Child& child) noexcept {
  Result<void> applied = isolation::apply(child.plan.landlock);
  if (!applied && applied.error().index() >= 0) {
    const auto& rule = child.plan.landlock.paths[static_cast<std::size_t>(applied.error().index())];
    if (!rule.origin.empty()) applied.error().in(rule.origin, ": ");
  }
  return applied;
}

// PID 1 of ours has them too, and so the payload that it starts.
Result<void> execution_domain(Child& child) noexcept {
  TRY(isolation::apply(child.plan.personality));
  if (child.plan.core_scheduling.kind != isolation::CoreScheduling::Kind::kCreate) return {};
  return isolation::apply(child.plan.core_scheduling);
}

Result<void> rlimits(Child& child) noexcept {
  Result<void> set = isolation::apply(child.plan.rlimits);
  if (!set) return plan::with_rlimit_origin(set.error(), child.plan);
  return set;
}

// Without no_new_privs a filter needs CAP_SYS_ADMIN, which the credentials step gives up.
Result<void> seccomp_privileged(Child& child) noexcept {
  if (child.plan.credentials.no_new_privs) return {};
  child.listener = TRY(isolation::apply(child.plan.seccomp));
  return {};
}

Result<void> credentials(Child& child) noexcept { return isolation::apply(child.plan.credentials); }

Result<void> working_directory(Child& child) noexcept {
  return isolation::enter_working_directory(child.plan.payload);
}

Result<void> bond(Child&) noexcept {
  if (kMutants) stop_at("bond", "");
  // A parent that died before sent no signal; then nobody takes what the last step sends.
  return isolation::die_with_monitor();
}

Result<void> seccomp(Child& child) noexcept {
  if (!child.plan.credentials.no_new_privs) return {};
  child.listener = TRY(isolation::apply(child.plan.seccomp));
  return {};
}

[[noreturn]] void fail(int sync, const Error& error) noexcept {
  // When the parent does not take it, nobody is there to read it.
  [[maybe_unused]] const Result<void> sent =
      send_message(sync, {.kind = SyncMessage::Kind::kFailed, .error = error});
  sys::exit_now(static_cast<int>(error.exit_code()));
}

Result<void> give_listener(int sync, int listener) noexcept {
  return send_message(sync, {.kind = SyncMessage::Kind::kListener}, listener);
}

Result<void> execute(Child& child) noexcept {
  TRY(send_message(child.fds.sync, {.kind = SyncMessage::Kind::kExecuting}, child.listener.get()));
  child.listener.reset();  // PID 1 stays, and must not hold what the monitor answers
  const isolation::ListenerTaker taker{.sync = child.fds.sync, .give = give_listener};
  if (!child.plan.init) return isolation::execute(child.plan.payload, taker);
  return isolation::run_as_init(child.plan.payload, child.plan.init_seccomp,
                                {.sync = child.fds.sync,
                                 .status = child.fds.status,
                                 .place = child.plan.place,
                                 .taker = taker},
                                fail);
}

struct Step {
  const char* name;
  Result<void> (*take)(Child&) noexcept;
};

// The order of a jail's birth, one a line.
// clang-format off
constexpr Step kJailSteps[] = {
    {"session", session},
    {"cgroup namespace", cgroup_namespace},
    {"hostname", hostname},
    {"network", network},
    {"propagation", propagation},
    {"procfs", procfs},
    {"time namespace", time_namespace},
    {"wait for the go", await_go},
    {"hidden", hidden},
    {"namespace root", namespace_root},
    {"sysctls", sysctls},
    {"labels", labels},
    {"mounts", mounts},
    {"terminal", terminal},
    {"pivot root", pivot_root},
    {"fds", fds},
    {"landlock", landlock},
    {"execution domain", execution_domain},
    {"rlimits", rlimits},
    {"seccomp privileged", seccomp_privileged},
    {"credentials", credentials},
    {"working directory", working_directory},
    {"bond", bond},
    {"seccomp", seccomp},
    {"execute", execute},
};
// clang-format on

Result<void> jail_terminal(Child& child) noexcept {
  if (!child.plan.terminal) return {};
  const Fd dev = TRY(sys::open("/dev", O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return open_terminal(child, dev.get());
}

// The order of a process that joins a jail: the same identity, filter and limits.
// clang-format off
constexpr Step kExecSteps[] = {
    {"session", session},
    {"await go", await_go},
    {"jail terminal", jail_terminal},
    {"fds", fds},
    {"landlock", landlock},
    {"execution domain", execution_domain},
    {"rlimits", rlimits},
    {"seccomp privileged", seccomp_privileged},
    {"credentials", credentials},
    {"working directory", working_directory},
    {"bond", bond},
    {"seccomp", seccomp},
    {"execute", execute},
};
// clang-format on

// What is known by the host's numbers, in the host's /proc, and is inherited by the one that stays.
Result<void> join_while_outside(const plan::LaunchPlan& plan) noexcept {
  using Kind = isolation::CoreScheduling::Kind;
  if (!plan.labels.empty()) {
    const Fd proc = TRY(sys::open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW));
    TRY(isolation::apply(plan.labels, proc.get()));
  }
  if (plan.core_scheduling.kind != Kind::kShare) return {};
  return isolation::apply(plan.core_scheduling);
}

[[noreturn]] void walk(std::span<const Step> steps, Child& child) noexcept {
  for (const Step& step : steps) {
    if (Result<void> done = step.take(child); !done) fail(child.fds.sync, done.error());
    timing::note(step.name);
  }
  sys::exit_now(static_cast<int>(ExitCode::kFailure));
}

// Whoever is in the namespaces must not read this process, which still has the host's memory and
// descriptors. CVE-2016-9962
Result<void> enter_namespaces(const plan::LaunchPlan& plan,
                              std::span<const JoinTarget> targets) noexcept {
  TRY(sys::prctl(PR_SET_DUMPABLE, mutant("hidden exec"), "PR_SET_DUMPABLE"));
  forget_arguments("jaula: exec");
  for (const JoinTarget& target : targets) {
    Result<void> joined = sys::setns(target.fd.get(), target.kinds);
    if (!joined && joined.error().code() == ESRCH) joined.error().hint("the jail has just ended");
    if (!joined && !target.origin.empty()) joined.error().in(target.origin, ": ");
    if (!joined) return joined;
    if ((target.kinds & CLONE_NEWUSER) != 0)
      TRY(isolation::become_namespace_root(plan.root_uid, plan.root_gid,
                                           plan.credentials.set_groups));
  }
  return {};
}

// A procfs shows the pid namespace of who makes it, and only a child is in the one that was
// entered: it puts its descriptor where `place` is, into the table that it shares with us.
Result<void> make_joined_proc(int place) noexcept {
  clone_args args{};
  args.flags = CLONE_FILES;
  args.exit_signal = SIGCHLD;
  const pid_t pid = TRY(sys::clone3(args));
  if (pid == 0) {
    Result<Fd> proc = isolation::make_proc();
    const int code = proc ? 0 : proc.error().code();
    if (proc && ::dup3(proc->get(), place, O_CLOEXEC) < 0) sys::exit_now(errno);
    if (proc) proc->reset();
    sys::exit_now(code);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return Error(errno, "wait for who makes the procfs");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error(WIFEXITED(status) ? WEXITSTATUS(status) : ESRCH,
               "make a procfs of the pid namespace that is joined");
}

// What is made of a namespace that is joined takes privilege over its owner, which the user
// namespace of the jail does not give.
Result<void> make_of_joined(const plan::LaunchPlan& plan, int spare,
                            isolation::Premade& premade) noexcept {
  if ((plan.joined & CLONE_NEWPID) != 0) {
    Fd place(::fcntl(spare, F_DUPFD_CLOEXEC, 0));
    if (!place) return Error(errno, "duplicate a descriptor");
    TRY(make_joined_proc(place.get()));
    premade.proc = std::move(place);
  }
  for (const isolation::MountOp& op : plan.mounts.ops) {
    if (op.kind != isolation::MountOp::Kind::kFileSystem) continue;
    if (op.source == "sysfs" && (plan.joined & CLONE_NEWNET) != 0)
      premade.sysfs = TRY(isolation::make_file_system(op, op.attributes));
    if (op.source == "mqueue" && (plan.joined & CLONE_NEWIPC) != 0)
      premade.mqueue = TRY(isolation::make_file_system(op, op.attributes));
  }
  return {};
}

// The one that stays is the caller's child, not ours.
[[noreturn]] void fork_the_one_that_stays(Child& child, std::uint64_t namespaces,
                                          std::span<const Step> steps) noexcept {
  const int sync = child.fds.sync;
  clone_args args{};
  args.flags = CLONE_PARENT | namespaces;
  Result<pid_t> pid = sys::clone3(args);
  if (!pid && pid.error().code() == ENOMEM)
    pid.error().hint("a jail whose PID 1 has ended takes no new processes");
  if (!pid) fail(sync, pid.error());
  if (*pid == 0) {
    timing::note("join");
    walk(steps, child);
  }
  const SyncMessage told{.kind = SyncMessage::Kind::kPid, .pid = *pid};
  [[maybe_unused]] const Result<void> sent = send_message(sync, told);
  sys::exit_now(0);
}

}  // namespace

void jail_main(const plan::LaunchPlan& plan, const ChildFds& fds) noexcept {
  timing::note_birth();
  ::close(fds.parent);
  Child child{.plan = plan, .fds = fds, .premade = {}, .root = {}, .pty = {}};
  walk(kJailSteps, child);
}

void exec_main(const plan::LaunchPlan& plan, const ChildFds& fds,
               std::span<const JoinTarget> targets) noexcept {
  ::close(fds.parent);
  // While this is a process of the host's, with its privileges and its /proc.
  if (Result<void> scored = isolation::write_for(0, plan.oom_score); !scored)
    fail(fds.sync, scored.error());
  if (Result<void> joins = join_while_outside(plan); !joins) fail(fds.sync, joins.error());
  if (Result<void> entered = enter_namespaces(plan, targets); !entered)
    fail(fds.sync, entered.error());
  Child child{.plan = plan, .fds = fds, .premade = {}, .root = {}, .pty = {}};
  fork_the_one_that_stays(child, 0, kExecSteps);
}

void join_main(const plan::LaunchPlan& plan, const ChildFds& fds,
               std::span<const JoinTarget> targets) noexcept {
  timing::note_birth();
  ::close(fds.parent);
  Child child{.plan = plan, .fds = fds, .premade = {}, .root = {}, .pty = {}};
  if (Result<void> entered = enter_namespaces(plan, targets); !entered)
    fail(fds.sync, entered.error());
  if (Result<void> made = make_of_joined(plan, fds.sync, child.premade); !made)
    fail(fds.sync, made.error());
  fork_the_one_that_stays(child, plan.namespaces, kJailSteps);
}

}  // namespace jaula
