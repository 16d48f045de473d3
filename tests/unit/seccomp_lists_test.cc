// `seccomp: {allow, deny, mode}`, and systemd's groups.
#include <doctest/doctest.h>
#include <linux/capability.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>

#include "runtime/plan/seccomp.h"
#include "runtime/plan/seccomp_policy.h"
#include "runtime/spec/syscall_groups.h"
#include "runtime/spec/syscall_names.h"
#include "tests/unit/seccomp_calls.h"

namespace jaula::test {
namespace {

using spec::SeccompEntry;
using spec::SeccompLists;

Filter filter_of(const SeccompLists& lists, std::uint64_t capabilities = 0) {
  return plan::compile_seccomp(plan::lower_lists(lists, capabilities));
}

SeccompLists allow(std::vector<std::string> names) {
  SeccompLists lists;
  lists.allow.emplace();
  for (std::string& name : names) lists.allow->push_back({.name = std::move(name)});
  return lists;
}

SeccompLists deny(std::vector<std::string> names) {
  SeccompLists lists;
  lists.deny = std::move(names);
  return lists;
}

std::set<std::string> members(std::string_view group) {
  std::set<std::string> names;
  spec::each_in_group(group, [&](std::string_view name) { names.emplace(name); });
  return names;
}

std::string output_of(const char* command) {
  std::string text;
  FILE* pipe = ::popen(command, "r");
  char part[4096];
  for (std::size_t got = 0; pipe != nullptr && (got = ::fread(part, 1, sizeof part, pipe)) > 0;)
    text.append(part, got);
  if (pipe != nullptr) ::pclose(pipe);
  return text;
}

}  // namespace

TEST_CASE("seccomp lists: empty ones are the default profile") {
  const Filter standard = plan::compile_seccomp(spec::SeccompProfile::kDefault, 0);
  for (const SeccompLists& lists : {deny({}), allow({"default"})}) {
    const Filter filter = filter_of(lists);
    for (std::uint32_t number = 0; number < kNumbers; ++number)
      for (const seccomp_data& call : calls_of(number)) {
        const std::string_view name = spec::syscall_name(static_cast<int>(number));
        CAPTURE(name);
        CHECK_EQ(answer(filter, call), answer(standard, call));
      }
    CHECK_EQ(answer(filter, call_of(0, {}, AUDIT_ARCH_I386)), "ENOSYS");
  }
}

TEST_CASE("seccomp lists: allow alone is that and what systemd adds, and nothing else") {
  const Filter filter = filter_of(allow({"getcwd", "@basic-io"}));
  for (const char* name : {"getcwd", "read", "writev", "close", "execve", "exit_group", "mmap"})
    CHECK_EQ(answer(filter, name), "allow");
  for (const char* name : {"open", "socket", "clone", "kill", "mount"})
    CHECK_EQ(answer(filter, name), "EPERM");
  for (const char* name : {"clone3", "uselib"}) CHECK_EQ(answer(filter, name), "ENOSYS");
  CHECK_EQ(answer(filter, call_of(spec::kSyscallEnd)), "ENOSYS");
  CHECK_EQ(answer(filter, call_of(0U | kX32)), "ENOSYS");
}

TEST_CASE("seccomp lists: what decides by arguments in default does so when it is allowed") {
  for (const Filter& filter : {filter_of(allow({"ioctl", "clone", "socket"})),
                               filter_of(allow({"@system-service", "@process"}))}) {
    CHECK_EQ(answer(filter, "ioctl", {0, TCGETS}), "allow");
    CHECK_EQ(answer(filter, "ioctl", {0, TIOCSTI | kBit32}), "EPERM");
    CHECK_EQ(answer(filter, "clone", {SIGCHLD}), "allow");
    CHECK_EQ(answer(filter, "clone", {CLONE_NEWUSER}), "EPERM");
    CHECK_EQ(answer(filter, "socket", {AF_INET}), "allow");
    CHECK_EQ(answer(filter, "socket", {AF_VSOCK}), "EAFNOSUPPORT");
    CHECK_EQ(answer(filter, "clone3"), "ENOSYS");
  }
  CHECK_EQ(answer(filter_of(allow({"clone3"})), "clone3"), "allow");
  const std::uint64_t admin = std::uint64_t{1} << CAP_SYS_ADMIN;
  CHECK_EQ(answer(filter_of(allow({"clone"}), admin), "clone", {CLONE_NEWUSER}), "allow");
}

TEST_CASE("seccomp lists: a rule that is written out is all that counts for its call") {
  SeccompLists lists = allow({"default"});
  lists.allow->push_back({.name = "ioctl", .whole = true});
  lists.allow->push_back({.name = "socket", .whole = true, .args = {{0, AF_UNIX}}});
  lists.allow->push_back({.name = "socket", .whole = true, .args = {{0, AF_VSOCK}}});
  const Filter filter = filter_of(lists);
  CHECK_EQ(answer(filter, "ioctl", {0, TIOCSTI}), "allow");
  CHECK_EQ(answer(filter, "socket", {AF_UNIX}), "allow");
  CHECK_EQ(answer(filter, "socket", {AF_VSOCK}), "allow");
  CHECK_EQ(answer(filter, "socket", {AF_INET}), "EPERM");
  lists.deny = {"socket"};
  CHECK_EQ(answer(filter_of(lists), "socket", {AF_UNIX}), "EPERM");
}

TEST_CASE("seccomp lists: deny alone is the default profile without those") {
  const Filter standard = plan::compile_seccomp(spec::SeccompProfile::kDefault, 0);
  const Filter filter = filter_of(deny({"@network-io", "chdir", "clone3"}));
  const std::set<std::string> gone = members("@network-io");
  CHECK_EQ(answer(filter, "socket", {AF_UNIX}), "EPERM");
  CHECK_EQ(answer(filter, "chdir"), "EPERM");
  CHECK_EQ(answer(filter, "clone3"), "ENOSYS");
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    const std::string name(spec::syscall_name(static_cast<int>(number)));
    for (const seccomp_data& call : calls_of(number))
      if (name != "chdir" && gone.count(name) == 0)
        CHECK_EQ(answer(filter, call), answer(standard, call));
  }
}

TEST_CASE("seccomp lists: deny takes from allow, whatever the order") {
  SeccompLists lists = allow({"@system-service", "mount"});
  lists.deny = {"@mount", "@resources", "read"};
  const Filter filter = filter_of(lists);
  CHECK_EQ(answer(filter, "openat"), "allow");
  for (const char* name : {"mount", "chroot", "setrlimit", "read"})
    CHECK_EQ(answer(filter, name), "EPERM");
}

TEST_CASE("seccomp lists: strict is a base, and gets what is added") {
  const Filter strict = plan::compile_seccomp(spec::SeccompProfile::kStrict, 0);
  const Filter filter = filter_of(allow({"strict", "splice"}));
  CHECK_EQ(answer(strict, "splice"), "EPERM");
  CHECK_EQ(answer(filter, "splice"), "allow");
  CHECK_EQ(answer(filter, "tee"), "EPERM");
  CHECK_EQ(answer(filter, "ioctl", {0, TIOCSTI}), "EPERM");
}

TEST_CASE("seccomp lists: mode log lets through what would be refused, and logs it") {
  const std::string logged = "returned " + std::to_string(SECCOMP_RET_LOG);
  SeccompLists lists = deny({"chdir"});
  lists.log = true;
  const Filter filter = filter_of(lists);
  CHECK_EQ(answer(filter, "read"), "allow");
  for (const char* name : {"chdir", "mount"}) CHECK_EQ(answer(filter, name), logged);
  CHECK_EQ(answer(filter, "socket", {AF_VSOCK}), logged);
  CHECK_EQ(answer(filter, "ioctl", {0, TIOCSTI}), logged);
  CHECK_EQ(answer(filter, "clone3"), "ENOSYS");
  CHECK_EQ(answer(filter, call_of(0, {}, AUDIT_ARCH_I386)), "ENOSYS");
  CHECK_EQ(answer(filter, call_of(0U | kX32)), "ENOSYS");
}

TEST_CASE("seccomp lists: every member of a group is a call that some table has") {
  for (const spec::SyscallGroup& group : spec::syscall_groups()) {
    CAPTURE(group.name);
    CHECK_FALSE(members(group.name).empty());
    for (const std::string& name : members(group.name)) {
      CAPTURE(name);
      CHECK(spec::find_syscall(name).has_value() != spec::is_foreign_syscall(name));
    }
  }
  CHECK(members("@known").size() > 380);
  CHECK(spec::is_syscall_group("@known"));
  CHECK_FALSE(spec::is_syscall_group("@knwon"));
}

TEST_CASE("seccomp lists: the groups are those of systemd 252") {
  if (output_of("systemd-analyze --version 2>/dev/null").find("systemd 252") == std::string::npos) {
    std::cout << "SKIP: there is no systemd-analyze of version 252\n";
    return;
  }
  std::istringstream lines(output_of("systemd-analyze syscall-filter --no-pager"));
  std::map<std::string, std::string> groups;
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("@")) current = line;
    if (line.starts_with("# ")) break;  // what is in no group
    if (line.starts_with("    ") && line[4] != '#')
      groups[current] += (groups[current].empty() ? "" : " ") + line.substr(4);
  }
  CHECK_EQ(groups.size(), spec::syscall_groups().size() + 1);
  for (const spec::SyscallGroup& group : spec::syscall_groups())
    CHECK_EQ(groups[std::string(group.name)], group.members);
  spec::each_name(groups["@known"], [](std::string_view name) {
    CAPTURE(name);
    CHECK((spec::is_syscall_group(name) || spec::find_syscall(name) ||
           spec::is_foreign_syscall(name)));
  });
}

}  // namespace jaula::test
