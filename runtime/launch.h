// From a plan to a running process: clone3 into the cgroup, id maps, what must be done from
// outside, the go. Parent side.
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "isolation/fds.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/child.h"
#include "runtime/plan/launch_plan.h"

namespace jaula {

// Trees whose ids are mapped to the jail's, which only we may do. The child knows the numbers.
struct MappedTrees {
  std::vector<isolation::TreeSource> sources;
  std::vector<Fd> owned;
  std::vector<int> numbers;
};

// A process on its way to its execve, or past it. Killed and reaped by the destructor unless it
// was released.
class Launched {
 public:
  Launched() = default;
  // One that another image of this process has launched and confirmed.
  Launched(pid_t pid, Fd pidfd, Fd status, Fd terminal, Fd listener) noexcept
      : pid_(pid),
        pidfd_(std::move(pidfd)),
        status_(std::move(status)),
        terminal_(std::move(terminal)),
        listener_(std::move(listener)) {}
  Launched(Launched&&) noexcept = default;
  Launched& operator=(Launched&&) = delete;
  Launched(const Launched&) = delete;
  Launched& operator=(const Launched&) = delete;
  ~Launched();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  [[nodiscard]] int status_fd() const noexcept { return status_.get(); }
  [[nodiscard]] const Fd& terminal() const noexcept { return terminal_; }  // the pty's master
  // Of its filter, if that reports: denied calls wait until it is answered (denials.h).
  [[nodiscard]] const Fd& listener() const noexcept { return listener_; }

  // Gives the child what it waits for: id maps, mapped trees, resource limits, the go. What is
  // decided after the clone is decided while the child is on its first steps.
  Result<void> admit(const plan::LaunchPlan& plan);
  // Waits until the payload runs. An Error is the child's own, with its exit code. `record` is the
  // directory in which calls are counted that are denied meanwhile.
  Result<void> confirm(int record);
  void release() noexcept { pidfd_.reset(); }  // it has been waited for

 private:
  friend struct Launcher;
  Result<void> let_go(const plan::LaunchPlan& plan);
  pid_t pid_ = -1;
  Fd pidfd_, sync_, status_, terminal_, listener_;
  MappedTrees trees_;
};

// Starts a jail in `cgroup` (-1: in none): the child goes as far as it can without ids, and waits
// to be admitted. `joins`: namespaces that it shares with others.
Result<Launched> launch(const plan::LaunchPlan& plan, int cgroup, isolation::StandardFds standard,
                        std::span<const JoinTarget> joins);

// Starts a process in the namespaces and the cgroup of a jail.
Result<Launched> launch_exec(const plan::LaunchPlan& plan, int cgroup, const JoinTarget& target,
                             isolation::StandardFds standard);

// The error of a start with what to do about it where a system call filter around us, as that of a
// container, may be the reason. seccomp(2)
Error explained(Error error);

}  // namespace jaula
