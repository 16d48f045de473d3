// A filter as text, for `jaula plan --syscalls` and `--bpf`: what each call gets, and the program
// that the kernel runs. Parent side. bpf(4), seccomp(2)
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <string>

#include "runtime/plan/seccomp_profile.h"

namespace jaula::plan {

// "allow read write …" in lines of a hundred columns, each beginning with the answer; then the
// calls that arguments decide, a line a rule: "socket allow if arg0:32 == 0x1".
std::string rules_text(const Policy& policy);

// One instruction a line, with what jumps lead to as numbers of lines:
// "  12 jge #0x3b, 13, 90   ; execve".
std::string disassemble(std::span<const sock_filter> program);

// "allow", "log", "EPERM", "trap", "kill-thread", "kill-process".
std::string action_text(std::uint32_t returned);

}  // namespace jaula::plan
