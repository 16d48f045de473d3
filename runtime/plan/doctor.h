// Whether jails can run on this host, how well, and what to do where they cannot. Parent side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/plan/host_facts.h"
#include "runtime/plan/kernel_facts.h"
#include "runtime/plan/machine_facts.h"

namespace jaula::plan {

struct DoctorFacts {
  HostFacts host;
  KernelFacts kernel;
  MachineFacts machine;
};
DoctorFacts probe_for_doctor();

enum class FindingState : std::uint8_t {
  kOk,
  kDegraded,  // jails run, with less
  kMissing,   // a jail with the default profile cannot run
};

struct Finding {
  std::string check = {};  // "user namespaces"
  FindingState state = FindingState::kOk;
  std::string what = {};    // the fact that was seen
  std::string remedy = {};  // empty: nothing to do, or nothing that can be done
};

std::vector<Finding> diagnose(const DoctorFacts& facts);  // pure, in a fixed order

bool is_usable(const std::vector<Finding>& findings);  // nothing is missing
std::string to_text(const std::vector<Finding>& findings);
// {"usable": true, "findings": [{"check": …, "state": "ok", "what": …, "remedy": …}, …]}
std::string to_json(const std::vector<Finding>& findings);

}  // namespace jaula::plan
