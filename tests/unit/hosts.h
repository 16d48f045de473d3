// Hosts as a plan may meet them: values, so that no test depends on the machine that it runs on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/plan/host_facts.h"

namespace jaula::test {

inline cgroups::Hierarchy all_controllers() {
  cgroups::Hierarchy hierarchy;
  hierarchy.layout = cgroups::Layout::kUnified;
  hierarchy.mount = "/sys/fs/cgroup";
  hierarchy.own = "/";
  hierarchy.parent = "/sys/fs/cgroup/jaula";
  hierarchy.controllers = {"cpu", "memory", "pids"};
  return hierarchy;
}

inline cgroups::Hierarchy no_cgroups() {
  cgroups::Hierarchy hierarchy;
  hierarchy.problem = "cgroup v2 is not mounted";
  hierarchy.remedy = "mount it";
  return hierarchy;
}

inline plan::HostFacts root_host() {
  plan::HostFacts facts;
  facts.capabilities = ~std::uint64_t{0};
  facts.cgroups = all_controllers();
  return facts;
}

inline plan::HostFacts user_with_one_id() {
  plan::HostFacts facts;
  facts.euid = 1000;
  facts.egid = 1001;
  facts.cgroups = all_controllers();
  return facts;
}

inline plan::HostFacts user_with_ranges() {
  plan::HostFacts facts = user_with_one_id();
  facts.subuid = {{.first = 100000, .count = 65536}};
  facts.subgid = {{.first = 200000, .count = 70000}};
  facts.id_map_helpers = true;
  return facts;
}

inline plan::HostFacts without_cgroups(plan::HostFacts host) {
  host.cgroups = no_cgroups();
  return host;
}

}  // namespace jaula::test
