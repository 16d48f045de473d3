// Profiles as docker and podman have them: what is read, and what is refused with which words.
#include "runtime/spec/seccomp_file.h"

#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <iostream>
#include <span>

#include "runtime/plan/seccomp.h"
#include "runtime/plan/seccomp_policy.h"
#include "runtime/spec/syscall_names.h"
#include "tests/unit/scratch.h"
#include "tests/unit/seccomp_calls.h"
#include "tests/unit/seccomp_oracle.h"

namespace jaula::test {
namespace {

using spec::SeccompFile;

constexpr spec::KernelVersion kKernel{6, 1};
constexpr std::uint64_t kAdmin = std::uint64_t{1} << CAP_SYS_ADMIN;
constexpr std::uint64_t kChroot = std::uint64_t{1} << CAP_SYS_CHROOT;
constexpr std::uint64_t kEvery = ~std::uint64_t{0};

std::string problems_of(const std::string& text) {
  spec::Problems problems;
  spec::parse_seccomp_file(text, "p.json", kKernel, problems);
  std::string lines;
  for (const spec::Problem& problem : std::move(problems).sorted("p.json"))
    lines += (lines.empty() ? "" : "\n") + std::string(problem.warning ? "warning: " : "") +
             problem.line();
  return lines;
}

// The problems of a profile whose only rule, from line 2 on, has these members.
std::string problems_of_rule(const std::string& members,
                             const std::string& standard = "SCMP_ACT_ERRNO") {
  return problems_of("{\"defaultAction\": \"" + standard + "\", \"syscalls\": [\n{" + members +
                     "}]}");
}

SeccompFile parse(const std::string& text) {
  spec::Problems problems;
  SeccompFile file = spec::parse_seccomp_file(text, "p.json", kKernel, problems);
  CHECK_FALSE(problems.full());
  for (const spec::Problem& problem : std::move(problems).sorted("p.json"))
    FAIL_CHECK(problem.line());
  return file;
}

SeccompFile our_profile() { return parse(file_bytes(JAULA_SOURCE_DIR "/tests/unit/profile.json")); }

// Every number with the arguments that profiles ask for and those beside them.
void compare_with_libseccomp(const SeccompFile& file, std::uint64_t capabilities) {
  const spec::SeccompConfig config = plan::lower_file(file, capabilities);
  const Filter ours = plan::compile_seccomp(config);
  const Filter theirs = compile_with_libseccomp(config);
  REQUIRE_FALSE(theirs.empty());
  const std::uint64_t values[] = {0,  1,       8,       9,          10,         16,
                                  40, 0x20000, 0x20008, 0x10000000, 0xffffffff, kBit32 | 16};
  const auto by_arguments = [&](std::string_view name) {
    return std::ranges::any_of(config.syscalls, [&](const spec::SeccompRule& rule) {
      return !rule.args.empty() && std::ranges::find(rule.names, name) != rule.names.end();
    });
  };
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    const bool all = by_arguments(spec::syscall_name(static_cast<int>(number)));
    for (const std::uint64_t first : std::span(values).first(all ? std::size(values) : 1))
      for (const std::uint64_t third : std::span(values).first(all ? std::size(values) : 1)) {
        const seccomp_data call = call_of(number, {first, 0, third});
        const std::string expected = answer(theirs, call);
        if (answer(ours, call) != expected) {
          CAPTURE(number);
          CAPTURE(first);
          CAPTURE(third);
          CHECK_EQ(answer(ours, call), expected);
        }
      }
  }
}

}  // namespace

TEST_CASE("seccomp file: what is there depends on architecture, kernel and capabilities") {
  const SeccompFile file = our_profile();
  const Filter none = plan::compile_seccomp(plan::lower_file(file, 0));
  const Filter one = plan::compile_seccomp(plan::lower_file(file, kChroot));
  const Filter both = plan::compile_seccomp(plan::lower_file(file, kChroot | kAdmin));
  for (const char* name : {"read", "execve", "arch_prctl", "ptrace"})
    CHECK_EQ(answer(none, name), "allow");
  for (const char* name : {"bpf", "modify_ldt", "open", "clone3"})
    CHECK_EQ(answer(none, name), "ENOSYS");
  CHECK_EQ(answer(none, "swapon"), "EPERM");
  CHECK_EQ(answer(none, "chroot"), "EPERM");
  CHECK_EQ(answer(one, "chroot"), "ENOSYS");  // one of two capabilities: neither rule is there
  CHECK_EQ(answer(both, "chroot"), "allow");
  CHECK_EQ(answer(none, "clone", {CLONE_NEWUSER}), "ENOSYS");
  CHECK_EQ(answer(none, "clone", {SIGCHLD}), "allow");
  CHECK_EQ(answer(both, "clone", {SIGCHLD}), "ENOSYS");
  CHECK_EQ(answer(none, "socket", {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}), "allow");
  CHECK_EQ(answer(none, "socket", {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}), "returned 327702");
}

TEST_CASE("seccomp file: libseccomp answers the same to every number") {
  for (const std::uint64_t capabilities : {std::uint64_t{0}, kChroot, kChroot | kAdmin, kEvery})
    compare_with_libseccomp(our_profile(), capabilities);
}

TEST_CASE("seccomp file: podman's own is read as it is, and answers as with libseccomp") {
  const std::string path = "/usr/share/containers/seccomp.json";
  const std::string text = file_bytes(path);
  if (text.empty()) {
    std::cout << "SKIP: there is no " << path << " (package golang-github-containers-common)\n";
    return;
  }
  const SeccompFile file = parse(text);
  for (const std::uint64_t capabilities : {std::uint64_t{0}, std::uint64_t{0xa80425fb}, kEvery})
    compare_with_libseccomp(file, capabilities);
}

TEST_CASE("seccomp file: kernel versions are compared as numbers") {
  CHECK(spec::parse_kernel_version("4.8") == spec::KernelVersion{4, 8});
  CHECK(spec::parse_kernel_version("6.1.0-18-amd64") == spec::KernelVersion{6, 1});
  CHECK(spec::parse_kernel_version("5.10") > spec::parse_kernel_version("5.9"));
  for (const char* none : {"", "6", "6.", "a.b", "-1.2"})
    CHECK(spec::parse_kernel_version(none) == spec::KernelVersion{});
  CHECK(spec::running_kernel() >= spec::KernelVersion{4, 0});
}

TEST_CASE("seccomp file: what is wrong is said with its line, column and path") {
  CHECK_EQ(problems_of(""), "p.json:1:1: not JSON");
  CHECK_EQ(problems_of("{\n  \"defaultAction\": SCMP}"), "p.json:2:20: not JSON");
  CHECK_EQ(problems_of("{\"defaultAction\": \"SCMP_ACT_ALLOW\"} x"), "p.json:1:37: not JSON");
  CHECK_EQ(problems_of("[]"), "p.json:1:1: expected an object\np.json:1:1: needs `defaultAction`");
  CHECK_EQ(problems_of("{}"), "p.json:1:1: needs `defaultAction`");
  CHECK_EQ(problems_of(std::string(40, '[')), "p.json:1:34: JSON nested deeper than 32 levels");
  const auto top = [](const std::string& members) {
    return problems_of("{\"defaultAction\": \"SCMP_ACT_ERRNO\",\n " + members + "}");
  };
  CHECK_EQ(top("\"syscall\": []"), "p.json:2:2: syscall: unknown key; did you mean `syscalls`?");
  CHECK_EQ(top("\"syscalls\": {}"), "p.json:2:14: syscalls: expected a list of rules");
  CHECK_EQ(top("\"syscalls\": [], \"syscalls\": []"), "p.json:2:18: syscalls: given twice");
  CHECK_EQ(top("\"defaultErrnoRet\": -1"),
           "p.json:2:21: defaultErrnoRet: expected a whole number from 0 to 4095");
  CHECK_EQ(top("\"defaultErrnoRet\": 38, \"defaultErrno\": \"EPERM\""),
           "p.json:2:41: defaultErrno: EPERM is 1, and defaultErrnoRet says 38");
  CHECK_EQ(top("\"defaultErrno\": \"EFOO\""), "p.json:2:18: defaultErrno: unknown errno \"EFOO\"");
  CHECK_EQ(top("\"architectures\": [\"SCMP_ARCH_ARM\"]"),
           "p.json:2:19: architectures: the profile is not for SCMP_ARCH_X86_64");
  CHECK_EQ(top("\"architectures\": [\"SCMP_ARCH_X86_65\", \"SCMP_ARCH_X86_64\"]"),
           "p.json:2:20: architectures[0]: unknown architecture \"SCMP_ARCH_X86_65\"; did you mean "
           "`SCMP_ARCH_X86_64`?");
  CHECK_EQ(top("\"flags\": [\"SECCOMP_FILTER_FLAG_TSYNC\"]"),
           "p.json:2:12: flags[0]: flag \"SECCOMP_FILTER_FLAG_TSYNC\" is not supported; "
           "SECCOMP_FILTER_FLAG_LOG and SECCOMP_FILTER_FLAG_SPEC_ALLOW are");
  CHECK_EQ(
      top("\"listenerPath\": \"/s\""),
      "p.json:2:2: listenerPath: not supported: it needs a program that listens for the calls, "
      "and a jail has none");
  CHECK_EQ(problems_of("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"defaultErrnoRet\": 1}"),
           "p.json:1:37: defaultErrnoRet: only SCMP_ACT_ERRNO answers with an errno");
}

TEST_CASE("seccomp file: a rule that is wrong is said with its line, column and path") {
  CHECK_EQ(problems_of_rule("\"names\": [\"read\"]"), "p.json:2:1: syscalls[0]: needs `action`");
  CHECK_EQ(problems_of_rule("\"action\": \"SCMP_ACT_ALLOW\""),
           "p.json:2:1: syscalls[0]: needs `names`");
  CHECK_EQ(
      problems_of_rule("\"action\": \"SCMP_ACT_TRACE\", \"names\": [\"read\"]"),
      "p.json:2:12: syscalls[0].action: SCMP_ACT_TRACE is not supported: it needs a tracer, and "
      "a jail has none");
  CHECK_EQ(problems_of_rule("\"action\": \"SCMP_ACT_NOTIFY\", \"names\": [\"read\"]"),
           "p.json:2:12: syscalls[0].action: SCMP_ACT_NOTIFY is not supported: it needs a program "
           "that listens for the calls, and a jail has none");
  CHECK_EQ(problems_of_rule("\"action\": \"SCMP_ACT_ALOW\", \"names\": [\"read\"]"),
           "p.json:2:12: syscalls[0].action: unknown action \"SCMP_ACT_ALOW\"; did you mean "
           "`SCMP_ACT_ALLOW`?");
  const auto rule = [](const std::string& members) {
    return problems_of_rule("\"action\": \"SCMP_ACT_ALLOW\", " + members);
  };
  CHECK_EQ(rule("\"names\": [\"read\"], \"name\": \"read\""),
           "p.json:2:49: syscalls[0].name: stands beside `names`; one of the two");
  CHECK_EQ(rule("\"names\": [7]"),
           "p.json:2:40: syscalls[0].names[0]: expected a system call's name");
  CHECK_EQ(rule("\"names\": [\"read\"], \"errnoRet\": 1"),
           "p.json:2:49: syscalls[0].errnoRet: only SCMP_ACT_ERRNO answers with an errno");
  CHECK_EQ(
      rule("\"names\": [\"read\"], \"includes\": {\"caps\": [\"CAP_NET_ADMN\"]}"),
      "p.json:2:71: syscalls[0].includes.caps[0]: unknown capability \"CAP_NET_ADMN\"; did you "
      "mean `NET_ADMIN`?");
  CHECK_EQ(rule("\"names\": [\"read\"], \"excludes\": {\"arches\": [\"amd65\"]}"),
           "p.json:2:73: syscalls[0].excludes.arches[0]: unknown architecture \"amd65\"; did you "
           "mean `amd64`?");
  CHECK_EQ(rule("\"names\": [\"read\"], \"excludes\": {\"minKernel\": \"new\"}"),
           "p.json:2:75: syscalls[0].excludes.minKernel: expected a version such as 4.8");
  const auto condition = [&](const std::string& text) {
    return rule("\"names\": [\"read\"], \"args\": [" + text + "]");
  };
  CHECK_EQ(condition("{\"index\": 6, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"}"),
           "p.json:2:68: syscalls[0].args[0].index: expected a whole number from 0 to 5");
  CHECK_EQ(condition("{\"index\": 0, \"value\": 18446744073709551616, \"op\": \"SCMP_CMP_EQ\"}"),
           "p.json:2:80: syscalls[0].args[0].value: expected a whole number from 0 to "
           "18446744073709551615");
  CHECK_EQ(condition("{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_ER\"}"),
           "p.json:2:89: syscalls[0].args[0].op: unknown operator \"SCMP_CMP_ER\"; did you mean "
           "`SCMP_CMP_EQ`?");
  CHECK_EQ(condition("{\"index\": 0, \"value\": 1}"),
           "p.json:2:58: syscalls[0].args[0]: needs `index`, `value` and `op`");
  const std::string one = "{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_GE\"}";
  CHECK_EQ(
      condition(one + ", " + one),
      "warning: p.json:2:105: syscalls[0].args[1]: a second condition on argument 0: both must "
      "hold here; for docker one is enough");
}

TEST_CASE("seccomp file: two answers to one call are refused, unless capabilities choose") {
  const auto two = [](const std::string& first, const std::string& second) {
    return problems_of(
        "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [\n"
        "{\"names\": [\"open\"], \"action\": \"SCMP_ACT_" +
        first +
        "},\n"
        "{\"names\": [\"open\"], \"action\": \"SCMP_ACT_" +
        second + "}]}");
  };
  const std::string when = ", \"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]";
  const std::string said = "p.json:3:1: syscalls[1]: `open` has another answer in the rule at 2:1";
  CHECK_EQ(two("ALLOW\"", "KILL\""), said);
  CHECK_EQ(two("ERRNO\", \"errnoRet\": 2", "ERRNO\""), said);
  CHECK_EQ(two("ALLOW\"", "ERRNO\"" + when), said);
  CHECK_EQ(two("ERRNO\"" + when, "ALLOW\""), said);
  CHECK_EQ(two("ALLOW\"", "ALLOW\"" + when), "");
  CHECK_EQ(two("ERRNO\"", "ERRNO\", \"errnoRet\": 1"), "");
  CHECK_EQ(two("ALLOW\", \"includes\": {\"caps\": [\"CAP_BPF\"]}", "KILL\""), "");
}

TEST_CASE("seccomp file: a name that no table has is passed over where that refuses it") {
  const auto named = [](const std::string& name, const char* action, const char* standard) {
    return problems_of_rule(
        "\"names\": [\"" + name + "\"], \"action\": \"SCMP_ACT_" + action + "\"", standard);
  };
  CHECK_EQ(named("opem", "ALLOW", "SCMP_ACT_ERRNO"),
           "warning: p.json:2:12: syscalls[0].names[0]: unknown system call \"opem\"; did you mean "
           "`open`?; passed over");
  CHECK_EQ(named("opem", "KILL", "SCMP_ACT_ALLOW"),
           "p.json:2:12: syscalls[0].names[0]: unknown system call \"opem\"; did you mean `open`?; "
           "what it is to refuse would be let through");
  CHECK_EQ(named("stat64", "ALLOW", "SCMP_ACT_ERRNO"), "");
  CHECK_EQ(named("socketcall", "KILL", "SCMP_ACT_ALLOW"), "");
}

TEST_CASE("seccomp file: a FIFO, a device, a directory and a file too long are not read") {
  const Scratch scratch;
  REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  CHECK_EQ(said(spec::read_profile(scratch / "fifo")), "not a regular file");
  CHECK_EQ(said(spec::read_profile("/dev/zero")), "not a regular file");
  CHECK(said(spec::read_profile(scratch.path())).ends_with(": Is a directory"));
  put_file(scratch / "long", std::string((1 << 20) + 1, ' '));
  CHECK(said(spec::read_profile(scratch / "long")).ends_with(": File too large"));
}

TEST_CASE("seccomp file: a hostile one costs no more than its size") {
  std::string names;
  for (int i = 0; i < 100'000; ++i) names += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "x\"";
  CHECK(problems_of_rule("\"names\": [" + names + "], \"action\": \"SCMP_ACT_ALLOW\"").size() > 0);
  std::string keys;
  for (int i = 0; i < 50'000; ++i) keys += "\"k" + std::to_string(i) + "\": 1, ";
  CHECK(problems_of("{" + keys + "\"defaultAction\": \"SCMP_ACT_ALLOW\"}").size() > 0);
}

}  // namespace jaula::test
