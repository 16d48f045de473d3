// The jail's syscall filter: a policy of names and argument conditions (seccomp_profile.h),
// compiled to classic BPF (seccomp_compile.h). Parent side, at every start. seccomp(2),
// docs/security.md
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/spec/jail_config.h"

namespace jaula::plan {

// The instructions of the profile for a jail whose bounding set is `capabilities` (bit n is
// capability n): syscalls that need a capability are let through with it. kUnconfined gives an
// empty filter. `limits_tcp`: what would get around Landlock's limits of TCP ports is refused.
std::vector<sock_filter> compile_seccomp(spec::SeccompProfile profile, std::uint64_t capabilities,
                                         bool limits_tcp = false);

// The same of a profile that the spec has brought.
std::vector<sock_filter> compile_seccomp(const spec::SeccompConfig& config);
// Of whichever the jail has.
std::vector<sock_filter> compile_seccomp(const spec::JailConfig& config, std::uint64_t capabilities,
                                         bool limits_tcp = false);

// The filter that tells the parent of what it answers with EPERM; empty when nothing is.
std::vector<sock_filter> report_denials(std::vector<sock_filter> filter);
// Whether a process under it can hand its listener over: sendmsg, whatever its arguments.
bool lets_hand_over(const spec::SeccompConfig& config);

// One fact a line for `jaula plan`: "seccomp: default, 292 syscalls, 136 instructions".
std::string describe_seccomp(spec::SeccompProfile profile, std::uint64_t capabilities,
                             bool limits_tcp = false);
std::string describe_seccomp(const spec::JailConfig& config, std::uint64_t capabilities,
                             bool limits_tcp = false);

// What each call gets, and the instructions; "" of what is unconfined.
std::string print_rules(const spec::JailConfig& config, bool limits_tcp);
std::string print_bpf(const spec::JailConfig& config, bool limits_tcp);

}  // namespace jaula::plan
