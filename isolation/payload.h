// The last step: the working directory is verified and the payload executed. Runs inside.
// execve(2), CVE-2024-21626
#pragma once

#include <string>
#include <vector>

#include "isolation/seccomp.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

// What execve needs, made before the clone. The pointers go into the strings beside them, which are
// final by then.
struct Payload {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=value
  std::vector<std::string> candidates;   // paths to try in order, from the jail's PATH
  std::string working_directory;
  bool terminal = false;            // 0 is a pty slave: it becomes the controlling terminal
  std::string forbidden_hint = {};  // what to do when execve is refused with EACCES
  std::string origin;               // where the spec names the command, for messages
  std::string directory_origin;     // and the working directory
  std::vector<char*> argv;          // ends with nullptr
  std::vector<char*> envp;
  // A profile of the user's, which may refuse all that a start needs but execve: the last thing
  // before it. Empty: the filter is there already.
  SeccompFilter filter = {};
};

// chdir, and the check that it is inside the root: one that is not is refused. ENOENT, ENOTDIR,
// EACCES with the line of the spec.
Result<void> enter_working_directory(const Payload& payload) noexcept;

// By a session leader. Returns only when it failed: 127 when no candidate exists, 126 when one
// cannot be executed. `taker` gets the listener of `filter` if that reports.
Error execute(const Payload& payload, const ListenerTaker& taker) noexcept;

}  // namespace jaula::isolation
