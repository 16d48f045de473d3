// The options of a mount, and what its source is. Parent side.
#pragma once

#include <string_view>

#include "runtime/spec/jail_config.h"

namespace jaula::plan {

bool has_option(const spec::MountConfig& mount, std::string_view word);
// Whether the source of a bind mount is there and no directory.
bool is_file(const std::string& path);

}  // namespace jaula::plan
