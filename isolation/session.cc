#include "isolation/session.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

// What the caller ignores would stay ignored across execve. The raw call, for glibc's refuses the
// two real-time signals that it keeps to itself. signal(7), rt_sigaction(2)
void reset_dispositions() noexcept {
  constexpr int kLast = 64;         // _NSIG
  const std::uint64_t action[4]{};  // handler (SIG_DFL), flags, restorer, mask
  for (int signal = 1; signal <= kLast; ++signal)
    ::syscall(SYS_rt_sigaction, signal, action, nullptr, sizeof action[3]);
}

}  // namespace

Result<void> enter_new_session() noexcept {
  if (::setsid() < 0) return Error(errno, "setsid");
  ::umask(0);  // modes are meant as they are said; the payload gets a mask with its credentials
  // The caller's session keyring would stay readable through the inherited credentials. ENOSYS: a
  // kernel without keys has none to leak; EDQUOT is an error, the keys would be the caller's.
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS) {
    Error refused(errno, "join a new session keyring");
    if (errno == EDQUOT) refused.hint("see kernel.keys.maxkeys in sysctl and /proc/key-users");
    return refused;
  }
  reset_dispositions();
  sigset_t none;
  ::sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) < 0) return Error(errno, "reset signal mask");
  return {};
}

Result<void> die_with_monitor() noexcept {
  return sys::prctl(PR_SET_PDEATHSIG, SIGKILL, "PR_SET_PDEATHSIG");
}

}  // namespace jaula::isolation
