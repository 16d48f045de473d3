// What the checks of `jaula doctor` are made of. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/base/text.h"
#include "runtime/plan/doctor.h"

namespace jaula::plan {

inline std::string reason(Trial trial) { return std::string(Error(trial.error).reason()); }

inline std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

inline Finding ok(std::string what) { return {.what = std::move(what)}; }

inline Finding degraded(std::string what, std::string remedy) {
  return {.state = FindingState::kDegraded, .what = std::move(what), .remedy = std::move(remedy)};
}

inline Finding missing(std::string what, std::string remedy) {
  return {.state = FindingState::kMissing, .what = std::move(what), .remedy = std::move(remedy)};
}

// What a spec may ask for beyond the default profile: diagnose_options.cc.
Finding devices(const DoctorFacts& facts);
Finding security_modules(const DoctorFacts& facts);
Finding core_scheduling(const DoctorFacts& facts);

}  // namespace jaula::plan
