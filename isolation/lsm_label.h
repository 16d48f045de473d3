// What AppArmor and SELinux are told about the next execve. Runs inside, before the root is
// touched, through the jail's own procfs, or outside through the host's. apparmor(7), selinux(8),
// proc(5), CVE-2019-16884, CVE-2025-52881
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct LsmLabel {
  std::string file = {};  // below /proc/PID: attr/apparmor/exec
  std::string text = {};
  std::string origin = {};
};

// Of this process. `proc` is the root of a procfs, which is verified: nothing else is written to,
// and no link or mount on the way is followed.
Result<void> apply(const std::vector<LsmLabel>& labels, int proc) noexcept;

}  // namespace jaula::isolation
