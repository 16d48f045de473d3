// systemd's names for groups of system calls, as `systemd-analyze syscall-filter` of version 252
// (Debian 12) prints them, and the names of calls that x86-64 does not have. Parent side.
// systemd.exec(5), SystemCallFilter=
#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace jaula::spec {

struct SyscallGroup {
  std::string_view name;     // @basic-io
  std::string_view members;  // calls, and groups again; one space between two
};

// All but @known, which is every call of syscall_names.h.
std::span<const SyscallGroup> syscall_groups();

constexpr std::string_view kKnownGroup = "@known";
constexpr std::string_view kImpliedGroup = "@default";  // in every allow-list

// A call of another architecture, or one of 32 bits: a filter for x86-64 never sees it.
bool is_foreign_syscall(std::string_view name);

// visit(name) for each word of `names`.
template <class Visit>
void each_name(std::string_view names, Visit visit) {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(' '));
    names.remove_prefix(name.size() < names.size() ? name.size() + 1 : name.size());
    visit(name);
  }
}

bool is_syscall_group(std::string_view name);

// visit(name) for each call of a group that exists and of those in it. A call may come twice.
void each_in_group(std::string_view group, const std::function<void(std::string_view)>& visit);

}  // namespace jaula::spec
