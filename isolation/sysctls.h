// Kernel settings of the jail's own namespaces. Runs inside. proc(5), CVE-2022-0811
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace jaula::isolation {

struct Sysctl {
  std::string path;  // below sys/ of procfs: net/ipv4/ip_unprivileged_port_start
  std::string value;
  std::string origin;
};

// `proc` is a procfs mount that nobody else can have put something over.
Result<void> apply(const std::vector<Sysctl>& sysctls, int proc) noexcept;

}  // namespace jaula::isolation
