// The tree of a spec → services. Nothing in the tree is passed over without a word.
#pragma once

#include <string_view>

#include "runtime/spec/context.h"
#include "runtime/spec/node.h"
#include "runtime/spec/service_spec.h"

namespace jaula::spec {

// `name:` or, without it, `fallback`; and the services.
void read_spec(Context& context, const Node& root, std::string fallback, SpecFile& file);

}  // namespace jaula::spec
