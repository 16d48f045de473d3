// How early the kernel kills a process when the machine runs out of memory. Runs outside: lowering
// it takes a capability of the host's, which no process of a user namespace has. proc(5)
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct OomScore {
  std::string value = {};  // "-1000" to "1000"; empty: as it is
  std::string origin = {};
};

// What the process starts later has the same. 0: this process.
Result<void> write_for(pid_t process, const OomScore& score) noexcept;

}  // namespace jaula::isolation
