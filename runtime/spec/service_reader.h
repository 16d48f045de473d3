// The tree of a spec → services. Nothing in the tree is passed over without a word.
#pragma once

#include <string_view>

#include "runtime/spec/context.h"
#include "runtime/spec/node.h"
#include "runtime/spec/service_spec.h"

namespace jaula::spec {

// [A-Za-z0-9][A-Za-z0-9_.-]{0,63}: what a project or a service may be called.
bool is_name(std::string_view text);

// `name:` or, without it, `fallback`; and the services.
void read_spec(Context& context, const Node& root, std::string fallback, SpecFile& file);

}  // namespace jaula::spec
