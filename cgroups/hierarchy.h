// Where this process may make cgroups, and with which controllers. Parent side. cgroups(7),
// systemd.io/CGROUP_DELEGATION
//
// Jails go to BASE/jaula/NAME. BASE is the nearest cgroup around us that was delegated to our user,
// else the root of the hierarchy where we may write to it: the host's, or that of a container.
// The `jaula` between them keeps jails' names apart from the names of others, and its own
// subtree_control keeps the manager of BASE from switching controllers off below (EBUSY).
#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::cgroups {

enum class Layout : std::uint8_t { kUnified, kHybrid, kLegacy, kNone };

// What the host offers, read from procfs and cgroupfs; nothing is changed by looking.
struct Hierarchy {
  Layout layout = Layout::kNone;
  std::string mount = {};   // where cgroup2 is mounted: /sys/fs/cgroup, …/unified; empty: nowhere
  std::string own = {};     // this process's cgroup below the mount, "/user.slice/…"
  std::string parent = {};  // absolute directory below which jails go; empty: none can be made
  bool delegated = false;   // by systemd or a container engine: parent is not of the host's root
  std::vector<std::string> controllers = {};  // that jails below parent can have
  std::string problem = {};  // why parent is empty, or which of cpu, memory and pids is missing
  std::string remedy = {};
  [[nodiscard]] bool has(std::string_view controller) const;
};

// Where to look. Data, so that tests can give files and directories of their own.
struct Sources {
  std::string conventional = "/sys/fs/cgroup";  // where cgroup2 is, or is at …/unified
  std::string mountinfo = "/proc/self/mountinfo";
  std::string own_cgroup = "/proc/self/cgroup";
  uid_t user = ::geteuid();
};
Hierarchy look(const Sources& sources = {});

// The directory of Hierarchy::parent, made where it is missing, with its controllers passed on to
// children (cgroup.subtree_control). A delegated BASE that still has processes is emptied into its
// leaf "supervisor" first: the kernel allows no processes beside children with controllers.
Result<Fd> prepare_parent(const Hierarchy& hierarchy);

}  // namespace jaula::cgroups
