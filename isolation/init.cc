#include "isolation/init.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/memory.h"
#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

// Every signal is blocked in PID 1 and taken one by one: a blocked signal is never ignored, while
// the kernel drops unhandled ones that are sent to PID 1. pid_namespaces(7)
sigset_t block_all() noexcept {
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  return before;
}

// Reaps what has ended; true when the payload is among it.
bool reap(pid_t payload, int& payload_status) noexcept {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return false;
    if (pid != payload) continue;
    payload_status = status;
    return true;
  }
}

// The next signal. What the start needed is given back when none has come for as long as `patience`
// says, and then it is null: a payload that is over at once is not kept waiting.
siginfo_t next_signal(const sigset_t& signals, const timespec*& patience) noexcept {
  for (;;) {
    siginfo_t info{};
    if (::sigtimedwait(&signals, &info, patience) > 0) return info;
    if (errno != EAGAIN) continue;
    give_all_memory_back();
    patience = nullptr;
  }
}

// Whether the payload is meant by a signal. What a process of the jail sends to its PID 1 stays
// there: the monitor's signals come from no pid of this namespace. In the host's they do, and there
// whatever was sent is passed on.
bool is_meant(const siginfo_t& info, InitPlace place) noexcept {
  if (place == InitPlace::kHost) return info.si_code <= 0 || info.si_code == SI_KERNEL;
  return info.si_pid == 0 || info.si_code == SI_KERNEL;
}

[[noreturn]] void serve(pid_t payload, const InitFds& fds) noexcept {
  sigset_t all;
  ::sigfillset(&all);
  int status = 0;
  const timespec second{.tv_sec = 1, .tv_nsec = 0};
  for (const timespec* patience = &second;;) {
    const siginfo_t info = next_signal(all, patience);
    const int signal = info.si_signo;
    if (is_meant(info, fds.place)) ::kill(payload, signal);
    // A signal that is pending already is not queued again: one sent may hide that a child ended.
    if (signal == SIGCHLD && reap(payload, status)) break;
  }
  [[maybe_unused]] const ssize_t told = ::write(fds.status, &status, sizeof status);
  sys::exit_now(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

}  // namespace

Error run_as_init(const Payload& payload, const SeccompFilter& filter, const InitFds& fds,
                  Report report) noexcept {
  // The payload must not read or drive this process, which has the same ids. proc(5), ptrace(2)
  Result<void> hidden = sys::prctl(PR_SET_DUMPABLE, mutant("hidden PID 1"), "PR_SET_DUMPABLE");
  if (!hidden) return hidden.error();
  forget_arguments("jaula: init");
  if (fds.place != InitPlace::kFirst)
    if (const Result<void> set = sys::prctl(PR_SET_CHILD_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER");
        !set)
      return set.error();
  const sigset_t before = block_all();
  // vfork: the child borrows this memory until execve, which is cheaper than copying page tables
  // that are thrown away at once. It leaves nothing in it but why it failed: a filter of its own
  // may refuse it to say that itself.
  Error failure(0);
  Error* volatile const failed = &failure;
  const pid_t child = ::vfork();
  if (child < 0) {
    Error refused(errno, "fork the payload");
    if (errno == EAGAIN)
      refused.hint("PID 1 counts too: raise pids_limit or `ulimits: nproc`, or set `init: false`");
    return refused;
  }
  if (child == 0) {
    ::setsid();  // cannot fail: a new process leads no group
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    *failed = execute(payload, fds.taker);
    ::_exit(static_cast<int>(ExitCode::kFailure));
  }
  if (!failed->text().empty()) report(fds.sync, *failed);
  if (const Result<Fd> filtered = apply(filter); !filtered) report(fds.sync, filtered.error());
  ::close(fds.sync);
  ::close(0);
  ::close(1);
  ::close(2);
  serve(child, fds);
}

}  // namespace jaula::isolation
