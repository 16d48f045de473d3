// The same filter, made by libseccomp in the way that docker and podman do it. Tests only.
// seccomp_rule_add(3)
#pragma once

#include "runtime/spec/seccomp.h"
#include "tests/unit/seccomp_calls.h"

namespace jaula::test {

// Empty when libseccomp refuses a rule.
Filter compile_with_libseccomp(const spec::SeccompConfig& config);

}  // namespace jaula::test
