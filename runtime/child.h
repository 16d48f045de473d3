// What the cloned process does: a table of steps over isolation/, then execve. Runs inside: reads
// the plan, allocates nothing, and leaves by _exit alone. clone(2), signal-safety(7)
#pragma once

#include <span>

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

// PID 1 of a new jail.
[[noreturn]] void jail_main(const plan::LaunchPlan& plan, const ChildFds& fds) noexcept;

// The process that joins the namespaces of `target` (a pidfd; `namespaces` as CLONE_NEW* bits),
// then forks the one that stays: a pid namespace is entered by children alone. pid_namespaces(7)
[[noreturn]] void exec_main(const plan::LaunchPlan& plan, const ChildFds& fds, int target,
                            int namespaces) noexcept;

}  // namespace jaula
