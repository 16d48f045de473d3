// What of the caller's terminal, keys and signals a new session still has: nothing.
#include "isolation/session.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <string>

#include "tests/isolation/inside.h"

namespace jaula::test {
namespace {

using isolation::enter_new_session;

long session_keyring() {
  return ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
}

// As the kernel has it: glibc keeps two of the real-time signals to itself.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

void ignore_and_block_all_signals() {
  const KernelAction ignore{.handler = SIG_IGN, .flags = 0, .restorer = nullptr, .mask = 0};
  for (int signal = 1; signal <= 64; ++signal)
    ::syscall(SYS_rt_sigaction, signal, &ignore, nullptr, sizeof ignore.mask);
  const std::uint64_t all = ~std::uint64_t{0};
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
}

std::string signals_of_self() {
  return in_order(
      {status_of_self("SigIgn"), " ", status_of_self("SigBlk"), " ", status_of_self("SigCgt")});
}

}  // namespace

TEST_CASE("session: it is a new one, with a process group of its own and no mask for files") {
  const auto seen = inside(0, [] {
    ::umask(0077);
    const pid_t before = ::getsid(0);
    std::string text = outcome(enter_new_session());
    text += ::getsid(0) == ::getpid() && ::getsid(0) != before ? "leader" : "not the leader";
    text += ::getpgid(0) == ::getpid() ? " of its group" : " in a group";
    return text + ", umask " + std::to_string(::umask(0));
  });
  CHECK_EQ(*seen, "fine\nleader of its group, umask 0");
}

TEST_CASE("session: the leader of a process group can have none, and is told") {
  const auto seen = inside(0, [] {
    ::setpgid(0, 0);
    return said(enter_new_session());
  });
  CHECK_EQ(*seen, "setsid: Operation not permitted");
}

TEST_CASE("session: the keyring is another one, and the caller's keys cannot be read") {
  const auto seen = inside(0, []() -> std::string {
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0) return "no keyring";
    const long before = session_keyring();
    const long key = ::syscall(SYS_add_key, "user", "jaula-test", "secret", std::size_t{6},
                               KEY_SPEC_SESSION_KEYRING);
    char bytes[16];
    const auto read = [&] {
      const long size = ::syscall(SYS_keyctl, KEYCTL_READ, key, bytes, sizeof bytes);
      return size == 6 ? std::string("read") : std::string(::strerror(errno));
    };
    std::string text = read() + ", ";
    text += outcome(enter_new_session());
    text += session_keyring() == before ? "the same, " : "another, ";
    return text + read();
  });
  if (*seen == "no keyring")
    return static_cast<void>(std::puts("SKIP: this kernel gives us no keyring"));
  CHECK_EQ(*seen, "read, fine\nanother, Permission denied");
}

TEST_CASE("session: no signal stays ignored, blocked or caught, the real-time ones included") {
  const auto seen = inside(0, [] {
    ignore_and_block_all_signals();
    std::string text = in_order({status_of_self("SigIgn"), " ", status_of_self("SigBlk"), "\n"});
    text += outcome(enter_new_session());
    return text + signals_of_self();
  });
  CHECK_EQ(*seen,
           "fffffffffffbfeff fffffffffffbfeff\nfine\n"
           "0000000000000000 0000000000000000 0000000000000000");
}

TEST_CASE("session: a process that is bound to its monitor is killed when that ends") {
  const auto seen = inside(0, [] {
    // What the monitor leaves behind comes to this process.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    Child monitor([] {
      Pipe bound;
      const Child child([&] {
        const Result<void> done = isolation::die_with_monitor();
        if (done) bound.signal();
        for (;;) ::pause();
        return 0;
      });
      bound.wait();
      ::_exit(0);  // without the end of `child`, which would kill it
      return 0;
    });
    monitor.wait();
    int status = 0;
    const pid_t orphan = ::waitpid(-1, &status, 0);
    if (orphan < 0 || !WIFSIGNALED(status)) return std::string("it ended by itself");
    return "signal " + std::to_string(WTERMSIG(status));
  });
  CHECK_EQ(*seen, "signal " + std::to_string(SIGKILL));
}

}  // namespace jaula::test
