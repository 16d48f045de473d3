// Values given outside the file, written into its tree: flags and file meet the same readers.
#pragma once

#include "runtime/spec/context.h"
#include "runtime/spec/node.h"

namespace jaula::spec {

// Applies context.options.overrides in their order. One that finds no service is a problem.
void apply_overrides(Context& context, Node& root);

}  // namespace jaula::spec
