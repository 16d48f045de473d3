// Making ready the cgroup that jails go below. Parent side. "No Internal Process Constraint" and
// "Delegation" in Documentation/admin-guide/cgroup-v2.rst
#include <errno.h>
#include <fcntl.h>

#include <algorithm>

#include "cgroups/hierarchy.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula::cgroups {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
// Processes that fork while they are moved leave children behind for the next round.
constexpr int kMaxRounds = 16;

std::vector<std::string> not_yet_passed_on(int directory, const Hierarchy& hierarchy) {
  if (hierarchy.controllers.empty()) return {};
  const Result<std::string> text = read_file_at(directory, "cgroup.subtree_control");
  if (!text) return hierarchy.controllers;
  const auto enabled = split(trim(*text), ' ');
  std::vector<std::string> missing;
  for (const std::string& name : hierarchy.controllers)
    if (std::find(enabled.begin(), enabled.end(), name) == enabled.end()) missing.push_back(name);
  return missing;
}

// One write for each controller, so that one that cannot be had (cpu beside real-time processes)
// does not take the others with it; the write of a limit that needs it says so later.
void pass_on(int directory, const Hierarchy& hierarchy) {
  for (const std::string& name : not_yet_passed_on(directory, hierarchy)) {
    const std::string enable = "+" + name;
    [[maybe_unused]] const auto enabled =
        sys::write_file_at(directory, "cgroup.subtree_control", enable);
  }
}

Result<Fd> open_or_make(int parent, const std::string& name) {
  Result<Fd> directory = sys::openat(parent, name.c_str(), kDirectory);
  if (directory || directory.error().code() != ENOENT) return directory;
  const Result<void> made = sys::mkdirat(parent, name.c_str(), 0755);
  if (!made && made.error().code() != EEXIST) return made.error();
  return sys::openat(parent, name.c_str(), kDirectory);
}

Result<void> move_process(std::string_view pid, int target) {
  // 0 stands for a process outside of our PID namespace; written, it would mean the writer.
  if (pid == "0") return Error(EPERM, "move a process of another PID namespace");
  const Result<void> moved = sys::write_file_at(target, "cgroup.procs", pid);
  if (moved || moved.error().code() == ESRCH) return {};
  return Error(moved.error().code(), "move process ", pid, " to its leaf supervisor");
}

// To be done before the first controller: cpu, cpuset and pids may be switched on beside processes,
// but that makes a threaded domain, in whose children nothing can be born ("domain invalid").
Result<void> empty_into_supervisor(int base) {
  for (int round = 0; round < kMaxRounds; ++round) {
    const std::string processes = TRY(read_file_at(base, "cgroup.procs"));
    if (trim(processes).empty()) return {};
    const Fd supervisor = TRY(open_or_make(base, "supervisor"));
    for (const std::string_view pid : split(trim(processes), '\n'))
      TRY(move_process(pid, supervisor.get()));
  }
  return Error(EBUSY, "move its processes to its leaf supervisor");
}

}  // namespace

Result<Fd> prepare_parent(const Hierarchy& hierarchy) {
  if (hierarchy.parent.empty()) return Error(0, hierarchy.problem).hint(hierarchy.remedy);
  Fd parent = TRY(open_or_make(AT_FDCWD, hierarchy.parent));
  if (not_yet_passed_on(parent.get(), hierarchy).empty()) return parent;

  const Fd base = TRY(sys::openat(parent.get(), "..", kDirectory));
  // The root of the host alone may have both processes and children with controllers.
  if (hierarchy.delegated && !not_yet_passed_on(base.get(), hierarchy).empty()) {
    Result<void> emptied = empty_into_supervisor(base.get());
    if (!emptied) return emptied.error().in("cgroup around ", hierarchy.parent, ": ");
  }
  pass_on(base.get(), hierarchy);
  pass_on(parent.get(), hierarchy);
  return parent;
}

}  // namespace jaula::cgroups
