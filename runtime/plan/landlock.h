// What a spec asks of Landlock, as far as this kernel's has it. Pure. landlock(7)
#pragma once

#include <span>
#include <string>
#include <vector>

#include "isolation/landlock.h"
#include "runtime/base/error.h"
#include "runtime/plan/host_facts.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

// What an ABI of Landlock brought.
struct LandlockFeature {
  int abi;
  const char* release;  // of Linux
  const char* what;     // what it is to be without it
  bool is_wall = true;  // without it something is not held back
};
std::span<const LandlockFeature> landlock_features();

struct LandlockPlan {
  isolation::Landlock rules;
  std::vector<Error> lacking;  // what is asked for and cannot be had
};

// `extra` has the key.
LandlockPlan make_landlock_plan(const spec::Extra& extra, const HostFacts& facts);

// A rule each, of those that are in force: "rw /tmp".
std::vector<std::string> describe_landlock(const spec::Landlock& asked,
                                           const isolation::Landlock& rules);

}  // namespace jaula::plan
