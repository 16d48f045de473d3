// Denied system calls for people and programs: which of a call's registers are numbers. A pointer
// is none: it says where something was in the memory of a process, not what it was. Parent side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/denials.h"

namespace jaula {

// One letter an argument: p pointer, d int, D long, u unsigned int, U unsigned long, x flags, o
// mode. "" of a call that has none, or that is not in the table.
std::string_view argument_kinds(std::string_view syscall);

// The arguments that are numbers; nullopt for pointers. As wide and as signed as the call has them.
std::vector<std::optional<std::int64_t>> argument_numbers(const Denial& denial);

// "mount(pointer, pointer, pointer, 0x3, NULL)"
std::string call_text(const Denial& denial);
std::string syscall_text(int number);  // "mount"; "471" of a number without a name

}  // namespace jaula
