// From a plan to a running process: clone3 into the cgroup, id maps, what must be done from
// outside, the go. Parent side.
#pragma once

#include <sys/types.h>

#include "isolation/fds.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/plan/launch_plan.h"

namespace jaula {

// A process on its way to its execve, or past it. Killed and reaped by the destructor unless it
// was released.
class Launched {
 public:
  Launched() = default;
  // One that another image of this process has launched and confirmed.
  Launched(pid_t pid, Fd pidfd, Fd status, Fd terminal) noexcept
      : pid_(pid),
        pidfd_(std::move(pidfd)),
        status_(std::move(status)),
        terminal_(std::move(terminal)) {}
  Launched(Launched&&) noexcept = default;
  Launched& operator=(Launched&&) = delete;
  Launched(const Launched&) = delete;
  Launched& operator=(const Launched&) = delete;
  ~Launched();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  [[nodiscard]] int status_fd() const noexcept { return status_.get(); }
  [[nodiscard]] const Fd& terminal() const noexcept { return terminal_; }  // the pty's master

  // Waits until the payload runs. An Error is the child's own, with its exit code.
  Result<void> confirm();
  void release() noexcept { pidfd_.reset(); }  // it has been waited for

 private:
  friend struct Launcher;
  pid_t pid_ = -1;
  Fd pidfd_, sync_, status_, terminal_;
};

// Starts a jail in `cgroup` (-1: in none). Returns as soon as the child is on its own; what it
// still has to say comes with confirm().
Result<Launched> launch(const plan::LaunchPlan& plan, int cgroup, isolation::StandardFds standard);

// Starts a process in the namespaces and the cgroup of a jail. `target` is a pidfd of a process
// in it.
Result<Launched> launch_exec(const plan::LaunchPlan& plan, int cgroup, int target,
                             isolation::StandardFds standard);

}  // namespace jaula
