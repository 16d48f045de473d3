#include "runtime/running.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/denials.h"
#include "runtime/stop.h"

namespace jaula {
namespace {

// What goes from one image of the monitor to the next, in this order.
struct Inherited {
  Fd pidfd, status, out, err, terminal, listener;
};

Result<void> kill_all(void* jail) {
  const auto& cgroup = static_cast<Running*>(jail)->cgroup;
  return cgroup ? cgroup.kill() : Result<void>();
}

Exit exit_of(const Running& jail, const Ended& ended) {
  Exit exit{.code = ended.code,
            .signal = ended.signal,
            .reason = ended.signal != 0 ? EndReason::kSignal : EndReason::kExited,
            .detail = {},
            .at = now_nanoseconds()};
  const auto& memory = jail.state.config.resources.memory;
  if (ended.time_limit) {
    exit.reason = EndReason::kTimeLimit;
    exit.code = static_cast<int>(ExitCode::kTimeLimit);
    exit.detail = "time_limit reached";
  } else if (ended.signal == SIGKILL && memory && jail.cgroup &&
             jail.cgroup.counter("memory.events", "oom_kill") > 0) {
    exit.reason = EndReason::kOom;
    exit.detail = "out of memory: mem_limit of " + std::to_string(memory->value) + " bytes reached";
  } else if (ended.terminated || stop_was_asked(jail.directory)) {
    exit.reason = EndReason::kStopped;
  }
  return exit;
}

// A descriptor that came through execve, by its number; "-1" is none.
Result<Fd> inherited(const std::string& word) {
  if (word == "-1") return Fd();
  const std::optional<std::uint64_t> number = parse_decimal(word, 1 << 20);
  if (!number || ::fcntl(static_cast<int>(*number), F_SETFD, FD_CLOEXEC) < 0)
    return Error(EBADF, "take over descriptor ", word);
  return Fd(static_cast<int>(*number));
}

Result<void> resume(Running& jail, const std::string& name, Roots roots, Inherited fds) {
  const StateStore store(std::move(roots));
  jail.directory = TRY(store.open(name));
  jail.state = TRY(jail.directory.load());
  if (!jail.state.cgroup.empty()) jail.cgroup = TRY(cgroups::Cgroup::open(jail.state.cgroup));
  jail.log.emplace(TRY(LogWriter::open(jail.directory.log_path(), {})));
  jail.process.emplace(jail.state.init.pid, std::move(fds.pidfd), std::move(fds.status),
                       std::move(fds.terminal), std::move(fds.listener));
  jail.stdio.emplace(TRY(
      Stdio::resume(*jail.log, std::move(fds.out), std::move(fds.err), jail.process->terminal())));
  jail.signals = TRY(block_signals());
  return {};
}

}  // namespace

Result<Ended> watch(Running& jail, bool unit) {
  const spec::JailConfig& config = jail.state.config;
  DenialRecorder denials(jail.process->listener().get(), jail.directory.fd());
  const Watch how{.stop_signal = config.extra.stop_signal,
                  .grace = config.extra.stop_grace_period,
                  .time_limit = config.extra.time_limit,
                  .terminate_stops = unit || jail.state.detached,
                  .kill_all = kill_all,
                  .context = &jail,
                  .denials = &denials};
  return watch(*jail.process, *jail.stdio, jail.signals, how);
}

Result<Exit> bury(Running& jail, const Ended& ended) {
  jail.stdio.reset();
  if (jail.log) jail.log->finish();
  Exit exit = exit_of(jail, ended);
  if (jail.log && jail.log->lost() > 0)
    exit.detail += (exit.detail.empty() ? "" : "; ") + std::to_string(jail.log->lost()) +
                   " bytes of its output could not be stored";
  const Result<void> cleared = jail.cgroup ? jail.cgroup.kill_and_remove() : Result<void>();
  // Told even when something of the jail does not die. A waiter reads it from its open file, also
  // when the record goes with the next lines.
  TRY(jail.directory.save_exit(exit));
  TRY(cleared);
  jail.cgroup = cgroups::Cgroup();
  if (jail.state.detached && !jail.state.remove_at_exit) return exit;
  const Result<void> locked = jail.directory.lock();
  if (!locked && locked.error().code() == ENOENT) return exit;  // `rm -f` was faster
  TRY(locked);
  TRY(jail.directory.remove());
  return exit;
}

Error become_monitor(const Running& jail, const Roots& roots) {
  // Whatever else the caller has left open, somebody may be waiting for its end.
  TRY(sys::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
  std::vector<std::string> words = {"jaula", "monitor", jail.state.name, roots.run, roots.data};
  const auto [out, err] = jail.stdio->log_sources();
  for (const int fd : {jail.process->pidfd(), jail.process->status_fd(), out, err,
                       jail.process->terminal().get(), jail.process->listener().get()}) {
    words.push_back(std::to_string(fd));
    if (fd >= 0 && ::fcntl(fd, F_SETFD, 0) < 0) return Error(errno, "keep descriptor ", fd);
  }
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  char* environment[] = {nullptr};
  // Blocked signals stay blocked, children stay ours, and what is pending waits. execve(2)
  ::execve("/proc/self/exe", arguments.data(), environment);
  return Error(errno, "execute /proc/self/exe");
}

Result<void> resume_monitor(const std::vector<std::string>& words) {
  if (words.size() != 9)
    return Error(EINVAL, "jaula monitor").hint("it is started by `jaula run -d` alone");
  Inherited fds;
  fds.pidfd = TRY(inherited(words[3]));
  fds.status = TRY(inherited(words[4]));
  fds.out = TRY(inherited(words[5]));
  fds.err = TRY(inherited(words[6]));
  fds.terminal = TRY(inherited(words[7]));
  fds.listener = TRY(inherited(words[8]));
  TRY(sys::prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("jaula"), "PR_SET_NAME"));
  Running jail;
  TRY(resume(jail, words[0], {.run = words[1], .data = words[2]}, std::move(fds)));
  const Ended ended = TRY(watch(jail, false));
  const Result<Exit> buried = bury(jail, ended);
  return buried ? Result<void>() : buried.error();
}

}  // namespace jaula
