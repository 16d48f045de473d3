// Where tests/attack takes one mitigation away, or stops a start to change what lies on the disk:
// the controls that its attacks work. They are built into jaula_mutant alone. Elsewhere mutant() is
// false before there is code, and nothing of this is left (tests/lint/no_mutants). Both sides of
// the fork.
#pragma once

#include <string>

namespace jaula {

#ifdef JAULA_MUTANTS
inline constexpr bool kMutants = true;
bool mutant(const char* mitigation) noexcept;  // is to be done without
#else
inline constexpr bool kMutants = false;
consteval bool mutant(const char* /*mitigation*/) { return false; }
#endif

// `if (kMutants) stop_at(…)`: waits there while the test wants it.
void stop_at(const char* step, const char* path) noexcept;
// The /proc that lies in a root: what a mutant trusts.
int open_proc_in(const std::string& root) noexcept;

}  // namespace jaula
