// A directory of a test in the machine's own cgroup2, BASE/jaula-test-PID, where BASE is what jaula
// itself would use: the root of the hierarchy, or what was delegated to this user.
#pragma once

#include <doctest/doctest.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

#include "cgroups/cgroup.h"
#include "cgroups/hierarchy.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

// A namespace of its own: one program has all of the isolation tests.
namespace jaula::test::cgroup_ground {

// The test's own directory; what is in it is killed and removed at the end of the case.
class Playground {
 public:
  Playground() {
    const cgroups::Hierarchy host = cgroups::look();
    mount_ = host.mount;
    base_ = host.parent.substr(0, host.parent.rfind('/'));
    if (mount_ + host.own == base_) step_aside();
    const std::string path = base_ + "/jaula-test-" + std::to_string(::getpid());
    if (!base_.empty() && ::mkdir(path.c_str(), 0755) == 0)
      top_ = cgroups::Cgroup::open(path).value();
    else
      std::printf("SKIP: no cgroup2 that we may write to: %s\n", host.problem.c_str());
    static_cast<void>(std::fflush(stdout));  // children of the test must not print it again
  }
  Playground(const Playground&) = delete;
  Playground& operator=(const Playground&) = delete;
  ~Playground() {
    if (!top_) return;
    CHECK(top_.kill());
    CHECK(top_.remove());
  }
  explicit operator bool() const { return static_cast<bool>(top_); }
  [[nodiscard]] const std::string& mount() const { return mount_; }
  [[nodiscard]] const std::string& base() const { return base_; }
  [[nodiscard]] const std::string& path() const { return top_.path(); }
  [[nodiscard]] cgroups::Cgroup make(const std::string& name) const { return make(top_, name); }
  [[nodiscard]] static cgroups::Cgroup make(const cgroups::Cgroup& parent,
                                            const std::string& name) {
    Result<cgroups::Cgroup> made = cgroups::Cgroup::create(parent.fd(), parent.path(), name);
    REQUIRE_MESSAGE(made, (made ? "" : std::string(made.error().text())));
    return std::move(*made);
  }

 private:
  // A cgroup that holds processes cannot pass its controllers on: the test moves into a leaf.
  void step_aside() const {
    const std::string leaf = base_ + "/tests";
    ::mkdir(leaf.c_str(), 0755);
    const Fd directory = sys::open(leaf.c_str(), O_PATH | O_DIRECTORY).value();
    REQUIRE(sys::write_file_at(directory.get(), "cgroup.procs", std::to_string(::getpid())));
  }

  std::string mount_, base_;
  cgroups::Cgroup top_;
};

// A process born in a cgroup that does `act`, then sleeps.
class Process {
 public:
  explicit Process(
      const cgroups::Cgroup& cgroup, void (*act)() = [] {}) {
    clone_args args{};
    args.flags = CLONE_INTO_CGROUP;
    args.exit_signal = SIGCHLD;
    args.cgroup = static_cast<std::uint64_t>(cgroup.fd());
    const Result<pid_t> pid = sys::clone3(args);
    REQUIRE_MESSAGE(pid, (pid ? "" : std::string(pid.error().reason())));
    pid_ = *pid;
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      act();
      for (;;) ::pause();
    }
  }
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&&) = delete;
  ~Process() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  [[nodiscard]] int pid() const { return pid_; }
  int wait() {
    int status = 0;
    while (::waitpid(std::exchange(pid_, -1), &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

 private:
  pid_t pid_;
};

// Where the kernel says a process is in cgroup v2.
inline std::string cgroup_of(int pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/cgroup").value();
  for (const std::string_view line : split(text, '\n'))
    if (line.starts_with("0::")) return std::string(line.substr(3));
  return {};
}

// In a process that may be spoilt; the number of the check that failed, 0 for none.
template <class Act>
int in_child(Act act) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(act());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace jaula::test::cgroup_ground
