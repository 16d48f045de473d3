// Denied system calls as `inspect` and `events` print them, in JSON.
#pragma once

#include <string>

#include "runtime/denials.h"

namespace jaula::cli {

std::string to_json(const Denial& denial);
// {"reported": true, "calls": […], "others": 0}
std::string to_json(const Denials& denials);

}  // namespace jaula::cli
