// What the cloned process does: a table of steps over isolation/, then execve. Runs inside: reads
// the plan, allocates nothing, and leaves by _exit alone. clone(2), signal-safety(7)
#pragma once

#include <span>
#include <string>

#include "isolation/fds.h"
#include "runtime/plan/launch_plan.h"

namespace jaula {

struct ChildFds {
  int sync = -1;    // the child's end
  int parent = -1;  // the parent's: closed at once, so that the parent's death is an EOF
  int status = -1;  // takes the payload's wait status when there is an init
  isolation::StandardFds standard{-1, -1, -1};  // unused with a terminal
  std::span<const int> trees = {};  // cloned outside, in the order of sources_made_outside()
};

// Namespaces to enter: several of a process (a pidfd), or the one of an nsfs file. setns(2)
struct JoinTarget {
  Fd fd;
  int kinds = 0;       // CLONE_NEW*
  std::string origin;  // where the spec asks for it
};

// PID 1 of a new jail.
[[noreturn]] void jail_main(const plan::LaunchPlan& plan, const ChildFds& fds) noexcept;

// The process that enters the namespaces of `targets`, then forks the one that stays: a pid
// namespace is entered by children alone. pid_namespaces(7)
[[noreturn]] void exec_main(const plan::LaunchPlan& plan, const ChildFds& fds,
                            std::span<const JoinTarget> targets) noexcept;

// The same for a new jail that has some namespaces of others: what it has of its own is made by the
// fork, and belongs to its own user namespace.
[[noreturn]] void join_main(const plan::LaunchPlan& plan, const ChildFds& fds,
                            std::span<const JoinTarget> targets) noexcept;

}  // namespace jaula
