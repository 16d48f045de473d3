// The policy of the syscall filter as data: what each call of the table gets, and which arguments
// decide where a number alone cannot. Parent side. seccomp(2)
#pragma once

#include <errno.h>
#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "runtime/plan/seccomp_syscalls.h"
#include "runtime/spec/service_spec.h"

namespace jaula::plan {

// What the filter returns to the kernel. It never kills: a program that can tell "no" from a crash
// falls back or says what it lacks, and a jail that tests its own walls stays alive to report.
enum class Action : std::uint32_t {
  kAllow = SECCOMP_RET_ALLOW,
  kNotPermitted = SECCOMP_RET_ERRNO | EPERM,
  kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS,
  kNoSuchFamily = SECCOMP_RET_ERRNO | EAFNOSUPPORT,
  kNoSuchProtocol = SECCOMP_RET_ERRNO | EPROTONOSUPPORT,
  kNotSupported = SECCOMP_RET_ERRNO | EOPNOTSUPP,
  kByArguments = UINT32_MAX,  // never returned: an ArgumentRule decides
};

// Holds when (args[argument] & mask) == value, in 32 bits: all that the kernel looks at in the
// arguments named here (int, unsigned int; clone's unsigned long goes through lower_32_bits()).
// Comparing 64 bits would let TIOCSTI pass with a bit set above them (CVE-2019-10063).
struct Condition {
  unsigned argument;
  std::uint32_t value;
  std::uint32_t mask = UINT32_MAX;
};

struct Clause {
  Condition when;
  std::optional<Condition> also = {};
  Action then;
  std::uint64_t needs = 0;   // capabilities without which the clause is not there
  std::uint64_t unless = 0;  // capabilities with which it is not there
  bool limits_tcp = false;   // it is there only where TCP ports are limited
};

// The first clause that holds decides.
struct ArgumentRule {
  int number;
  std::span<const Clause> clauses;
  Action otherwise;
  bool in_strict = true;
};

struct Policy {
  std::array<Action, kSyscallEnd> actions;  // by number; above it all are kNoSuchCall
  std::span<const ArgumentRule> rules;      // of every kByArguments in there
  std::uint64_t capabilities = 0;           // that clauses may need
  bool limits_tcp = false;
};

// `profile` is not kUnconfined, which has no policy. kStrict knows no capabilities. `limits_tcp`:
// Landlock limits ports, and what it does not see of TCP is refused.
Policy make_policy(spec::SeccompProfile profile, std::uint64_t capabilities,
                   bool limits_tcp = false);

}  // namespace jaula::plan
