// The policy of the syscall filter as data: what each call of the table gets, and which arguments
// decide where a number alone cannot. Parent side. seccomp(2)
#pragma once

#include <errno.h>
#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "runtime/spec/service_spec.h"
#include "runtime/spec/syscall_names.h"

namespace jaula::plan {

// What the filter returns to the kernel. Ours never kills: a program that can tell "no" from a
// crash falls back or says what it lacks, and a jail that tests its own walls stays alive to
// report.
enum class Action : std::uint32_t {
  kAllow = SECCOMP_RET_ALLOW,
  kNotPermitted = SECCOMP_RET_ERRNO | EPERM,
  kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS,
  kNoSuchFamily = SECCOMP_RET_ERRNO | EAFNOSUPPORT,
  kNoSuchProtocol = SECCOMP_RET_ERRNO | EPROTONOSUPPORT,
  kNotSupported = SECCOMP_RET_ERRNO | EOPNOTSUPP,
  kByArguments = UINT32_MAX,  // never returned: an ArgumentRule decides
  // Any other value a filter can return has no name here: a profile of the user's may answer
  // with every errno, and kill.
};

enum class Comparison : std::uint8_t {
  kEqual32,  // (the low half & mask) == value; all others look at 64 bits
  kEqual,    // (args[argument] & mask) == value
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
};

// Our own profiles look at 32 bits: all that the kernel looks at in the arguments named there (int,
// unsigned int; clone's unsigned long goes through lower_32_bits()). Comparing 64 bits would let
// TIOCSTI pass with a bit set above them (CVE-2019-10063). Users' profiles say what they want.
struct Condition {
  unsigned argument;
  std::uint64_t value;
  std::uint64_t mask = UINT32_MAX;  // of kEqual32 and kEqual
  Comparison comparison = Comparison::kEqual32;
};

struct Clause {
  Condition when;
  std::optional<Condition> also = {};
  Action then;
  std::uint64_t needs = 0;               // capabilities without which the clause is not there
  std::uint64_t unless = 0;              // capabilities with which it is not there
  std::span<const Condition> more = {};  // hold too
  bool limits_tcp = false;               // it is there only where TCP ports are limited
};

// The first clause that holds decides.
struct ArgumentRule {
  int number;
  std::span<const Clause> clauses;
  Action otherwise;
  bool in_strict = true;
};

struct Policy {
  std::array<Action, spec::kSyscallEnd> actions;  // by number
  std::span<const ArgumentRule> rules;            // of every kByArguments in there
  std::uint64_t capabilities = 0;                 // that clauses may need
  bool limits_tcp = false;
  Action above = Action::kNoSuchCall;  // of the numbers from kSyscallEnd on, x32's apart
};

// `profile` is kDefault or kStrict, which knows no capabilities. `limits_tcp`: Landlock limits
// ports, and what it does not see of TCP is refused.
Policy make_policy(spec::SeccompProfile profile, std::uint64_t capabilities,
                   bool limits_tcp = false);

}  // namespace jaula::plan
