#include "isolation/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "isolation/terminal.h"
#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

namespace jaula::isolation {

Result<void> enter_working_directory(const Payload& payload) noexcept {
  const char* path = payload.working_directory.c_str();
  if (::chdir(path) < 0)
    return Error(errno, payload.directory_origin, payload.directory_origin.empty() ? "" : ": ",
                 "enter the working directory ", path)
        .hint("make it in the root, or set `working_dir`");
  if (mutant("working directory inside")) return {};
  // A directory that is not below this root shows as "(unreachable)…", without a leading slash.
  char here[4096];
  if (::syscall(SYS_getcwd, here, sizeof here) < 0 || here[0] != '/')
    return Error(0, "the working directory ", path, " is outside of the root");
  return {};
}

Error execute(const Payload& payload, const ListenerTaker& taker) noexcept {
  if (payload.terminal) {
    Result<void> taken = take_as_controlling_terminal(0);
    if (!taken) return taken.error();
  }
  const Result<Fd> listener = apply(payload.filter);
  if (!listener) return listener.error();
  if (*listener)
    if (const Result<void> given = taker.give(taker.sync, listener->get()); !given)
      return given.error();
  int reason = ENOENT;
  bool exists = false;  // the file is there: what it asks for is not
  const char* tried = payload.arguments[0].c_str();
  for (const std::string& candidate : payload.candidates) {
    ::execve(candidate.c_str(), payload.argv.data(), payload.envp.data());
    // As execvp(3): what is not there is passed over, what may not be run is remembered.
    const int why = errno;
    const bool there = why == ENOENT && ::faccessat(AT_FDCWD, candidate.c_str(), F_OK, 0) == 0;
    if ((why == ENOENT && !there) || why == ENOTDIR) continue;
    tried = candidate.c_str();
    reason = why;
    exists = there;
    if (why != EACCES) break;
  }
  Error error(reason, payload.origin, payload.origin.empty() ? "" : ": ", "execute ", tried);
  if (reason == ENOENT) {
    const bool by_path = payload.arguments[0].find('/') != std::string::npos;
    return error.exits(ExitCode::kNotFound)
        .hint(exists    ? "its interpreter or its loader is not in the root"
              : by_path ? "it is not in the root"
                        : "no directory of the jail's PATH has it");
  }
  if (reason == EACCES && !payload.forbidden_hint.empty()) error.hint(payload.forbidden_hint);
  if (reason == ENOEXEC) error.hint("wrong architecture, or a script without #!");
  return error.exits(ExitCode::kNotExecutable);
}

}  // namespace jaula::isolation
