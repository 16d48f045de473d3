// A filter in the words of OCI as a policy that compiles, and the lists of a spec in those words.
// Parent side. docs/spec.md
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/plan/seccomp_profile.h"
#include "runtime/spec/seccomp.h"

namespace jaula::plan {

// A policy together with what its rules are made of.
struct OwnedPolicy {
  Policy policy;
  std::vector<Condition> conditions;
  std::vector<Clause> clauses;
  std::vector<ArgumentRule> rules;
};
OwnedPolicy make_policy(const spec::SeccompConfig& config);

// The rules that are there for a jail whose bounding set is `capabilities`. As libseccomp has it,
// and so docker and podman: a rule without conditions takes the place of those with, and the first
// of them counts.
spec::SeccompConfig lower_file(const spec::SeccompFile& file, std::uint64_t capabilities);

spec::SeccompConfig lower_lists(const spec::SeccompLists& lists, std::uint64_t capabilities);

}  // namespace jaula::plan
