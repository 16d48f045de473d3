#include "isolation/session.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {

Result<void> enter_new_session() noexcept {
  if (::setsid() < 0) return Error(errno, "setsid");
  ::umask(0);  // modes are meant as they are said; the payload gets a mask with its credentials
  // The caller's session keyring would stay readable through the inherited credentials. ENOSYS: a
  // kernel without keys has none to leak; EDQUOT is an error, the keys would be the caller's.
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS)
    return Error(errno, "join a new session keyring")
        .hint("see kernel.keys.maxkeys in sysctl and /proc/key-users");
  // What the caller ignores would stay ignored across execve. signal(7)
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;  // NOLINT(cppcoreguidelines-pro-type-union-access)
  for (int signal = 1; signal <= SIGRTMAX; ++signal) ::sigaction(signal, &by_default, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) < 0) return Error(errno, "reset signal mask");
  return {};
}

Result<void> die_with_monitor() noexcept {
  return sys::prctl(PR_SET_PDEATHSIG, SIGKILL, "PR_SET_PDEATHSIG");
}

}  // namespace jaula::isolation
