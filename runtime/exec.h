// `jaula exec`: a process in a running jail, with the jail's identity, filter, capabilities,
// limits and cgroup. Parent side.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/state_store.h"
#include "runtime/stdio.h"

namespace jaula {

struct ExecOptions {
  StdioOptions stdio;
  std::vector<std::string> arguments;
  std::optional<std::string> user;       // -u, in the words of the jail's /etc/passwd
  std::optional<std::string> directory;  // -w
  std::vector<std::string> environment;  // -e NAME=value
};

// Returns what `jaula exec` exits with: the process's code, or 128+n.
Result<int> exec_in_jail(const StateStore& store, const std::string& name,
                         const ExecOptions& options);

}  // namespace jaula
