// The parts of a profile's file that need nothing else of it. What is wrong is said to the
// document. Parent side.
#pragma once

#include "runtime/spec/json_document.h"
#include "runtime/spec/seccomp.h"
#include "runtime/spec/seccomp_file.h"

namespace jaula::spec {

void read_architectures(const JsonDocument& json, const JsonNode& list);
void read_architecture_map(const JsonDocument& json, const JsonNode& list);
void read_arguments(const JsonDocument& json, const JsonNode& list, SeccompRule& rule);

struct FilterContext {
  const JsonDocument& json;
  const KernelVersion& kernel;
  bool included;  // `includes`, not `excludes`
};
// Whether the rule is there on this machine; capabilities are kept for later.
bool read_filter(const FilterContext& context, const JsonNode& node, SeccompFileRule& out);

}  // namespace jaula::spec
