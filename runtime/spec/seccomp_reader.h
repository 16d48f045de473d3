// The key `seccomp`, and what `security_opt` says of the filter. Parent side.
#pragma once

#include <string_view>

#include "runtime/spec/service_spec.h"
#include "runtime/spec/value.h"

namespace jaula::spec {

void read_seccomp(const Value& value, ServiceSpec& spec);
// `word` is what stands behind seccomp= in `value`.
void read_seccomp_word(const Value& value, std::string_view word, ServiceSpec& spec);

}  // namespace jaula::spec
