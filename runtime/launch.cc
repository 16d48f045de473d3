#include "runtime/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/child.h"
#include "runtime/denials.h"
#include "runtime/plan/mounts.h"
#include "runtime/spec/units.h"
#include "runtime/sync.h"

namespace jaula {
namespace {

Result<Fd> user_namespace_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/user";
  return sys::open(path.c_str(), O_RDONLY);
}

Result<MappedTrees> clone_trees(const isolation::MountPlan& mounts) {
  MappedTrees trees{.sources = plan::sources_made_outside(mounts), .owned = {}, .numbers = {}};
  for (const isolation::TreeSource& source : trees.sources) {
    trees.owned.push_back(TRY(isolation::clone_source(source)));
    trees.numbers.push_back(trees.owned.back().get());
  }
  return trees;
}

Result<void> map_trees(const MappedTrees& trees, pid_t child) {
  if (trees.sources.empty()) return {};
  const Fd user_namespace = TRY(user_namespace_of(child));
  for (std::size_t i = 0; i < trees.sources.size(); ++i)
    TRY(isolation::map_source(trees.sources[i], trees.numbers[i], user_namespace.get()));
  return {};
}

Error died_early(int pidfd) {
  Result<siginfo_t> info = sys::wait_pidfd(pidfd, WEXITED | WNOWAIT);
  if (!info) return info.error();
  if (info->si_code == CLD_EXITED)
    return Error(0, "the child ended with code ", info->si_status, " before the payload ran");
  Error ended(0, "the child was ended by ", spec::format_signal(info->si_status),
              " before the payload ran");
  if (info->si_status == SIGKILL)
    ended.hint("`jaula kill` and `rm -f` do that, or a lack of memory: see mem_limit and `dmesg`");
  return ended;
}

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return Error(errno, "make a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace

struct Launcher {
  Launched launched;
  SyncPair sync;
  Pipe status;

  Result<std::span<const int>> prepare(const plan::LaunchPlan& plan) {
    if (plan.init) status = TRY(make_pipe());
    launched.trees_ = TRY(clone_trees(plan.mounts));
    return std::span<const int>(launched.trees_.numbers);
  }

  Result<pid_t> clone(std::uint64_t flags, int cgroup) {
    sync = TRY(make_sync_pair());
    clone_args args{};
    int pidfd = -1;
    args.flags = flags | CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    if (cgroup >= 0) {
      args.flags |= CLONE_INTO_CGROUP;
      args.cgroup = static_cast<std::uint64_t>(cgroup);
    }
    const pid_t pid = TRY(sys::clone3(args));
    if (pid == 0) return pid;
    launched.pid_ = pid;
    launched.pidfd_ = Fd(pidfd);
    launched.sync_ = std::move(sync.parent);
    launched.status_ = std::move(status.read);
    sync.child.reset();
    status.write.reset();
    return pid;
  }

  // The first child only joins and forks the one that stays, which is our child too.
  Result<void> adopt() {
    const SyncMessage message = TRY(receive_message(launched.sync_.get()));
    if (message.kind == SyncMessage::Kind::kFailed) return message.error;
    if (message.kind == SyncMessage::Kind::kEof) return died_early(launched.pidfd());
    TRY(sys::wait_pidfd(launched.pidfd(), WEXITED));
    launched.pid_ = message.pid;
    launched.pidfd_ = TRY(sys::pidfd_open(message.pid));
    return {};
  }
};

Launched::~Launched() {
  if (!pidfd_) return;
  // Killed on the way out of an error: what it says no longer matters. Its pid is its own until it
  // is reaped.
  ::kill(pid_, SIGKILL);
  [[maybe_unused]] const Result<siginfo_t> reaped = sys::wait_pidfd(pidfd_.get(), WEXITED);
}

namespace {

// Under a filter of the spec's own, what comes between its installation and execve may be denied,
// and so may what the payload does before PID 1 has let go of the channel: it waits for its answer.
Result<void> answer_until_readable(int sync, DenialRecorder& denials) {
  for (;;) {
    int pause = -1;
    pollfd polled[] = {{sync, POLLIN, 0}, {denials.wanted(pause), POLLIN, 0}};
    if (::poll(polled, 2, pause) < 0 && errno != EINTR) return Error(errno, "poll");
    if (polled[0].revents != 0) return {};
    if (polled[1].revents != 0) denials.step(polled[1].revents);
  }
}

}  // namespace

Result<void> Launched::confirm(int record) {
  std::optional<DenialRecorder> denials;
  for (bool executing = false;;) {
    if (denials) TRY(answer_until_readable(sync_.get(), *denials));
    Fd descriptor;
    const SyncMessage message = TRY(receive_message(sync_.get(), &descriptor));
    switch (message.kind) {
      case SyncMessage::Kind::kTerminal:
        terminal_ = std::move(descriptor);
        break;
      case SyncMessage::Kind::kListener:
        listener_ = std::move(descriptor);
        denials.emplace(listener_.get(), record);
        break;
      case SyncMessage::Kind::kExecuting:
        listener_ = std::move(descriptor);
        executing = true;
        break;
      case SyncMessage::Kind::kFailed:
        return message.error;
      case SyncMessage::Kind::kEof:
        sync_.reset();
        if (!executing) return died_early(pidfd());
        return {};
      case SyncMessage::Kind::kGo:
      case SyncMessage::Kind::kPid:
        return Error(EBADMSG, "receive across the fork");
    }
  }
}

Result<Launched> launch(const plan::LaunchPlan& plan, int cgroup, isolation::StandardFds standard,
                        std::span<const JoinTarget> joins) {
  Launcher launcher;
  const std::span<const int> trees = TRY(launcher.prepare(plan));
  const pid_t pid = TRY(launcher.clone(joins.empty() ? plan.namespaces : 0, cgroup));
  if (pid == 0) {
    const ChildFds fds{.sync = launcher.sync.child.get(),
                       .parent = launcher.sync.parent.get(),
                       .status = launcher.status.write.get(),
                       .standard = standard,
                       .trees = trees};
    if (!joins.empty()) join_main(plan, fds, joins);
    jail_main(plan, fds);
  }
  if (!joins.empty()) TRY(launcher.adopt());
  return std::move(launcher.launched);
}

Result<void> Launched::let_go(const plan::LaunchPlan& plan) {
  TRY(isolation::write_for(pid_, plan.ids));
  TRY(map_trees(trees_, pid_));
  trees_ = {};
  TRY(isolation::write_for(pid_, plan.oom_score));
  Result<void> raised = isolation::raise_for(pid_, plan.rlimits);
  if (!raised) return plan::with_rlimit_origin(raised.error(), plan);
  return send_message(sync_.get(), {.kind = SyncMessage::Kind::kGo});
}

Result<void> Launched::admit(const plan::LaunchPlan& plan) {
  Result<void> done = let_go(plan);
  if (done) return done;
  // A child that has failed on its first steps is gone by now: what it said is the reason.
  pollfd word{.fd = sync_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&word, 1, 0) != 1) return done;
  const Result<SyncMessage> message = receive_message(sync_.get());
  if (message && message->kind == SyncMessage::Kind::kFailed) return message->error;
  return done;
}

Error explained(Error error) {
  const int code = error.code();
  if ((code != EPERM && code != ENOSYS) || !error.hint_text().empty()) return error;
  const Result<std::string> status = read_file("/proc/self/status");
  if (!status || status->find("\nSeccomp:\t2") == std::string::npos) return error;
  return error.hint(
      "jaula itself is under a system call filter, as in a container, which may refuse this: start "
      "that with --security-opt seccomp=unconfined (docker, podman) or "
      "--system-call-filter=@keyring (systemd-nspawn)");
}

Result<Launched> launch_exec(const plan::LaunchPlan& plan, int cgroup, const JoinTarget& target,
                             isolation::StandardFds standard) {
  Launcher launcher;
  const pid_t pid = TRY(launcher.clone(0, cgroup));
  if (pid == 0)
    exec_main(plan,
              {.sync = launcher.sync.child.get(),
               .parent = launcher.sync.parent.get(),
               .standard = standard},
              {&target, 1});
  TRY(launcher.adopt());
  return std::move(launcher.launched);
}

}  // namespace jaula
