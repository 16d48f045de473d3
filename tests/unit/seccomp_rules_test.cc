// Filters in the words of OCI: what they answer, with libseccomp as the judge.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "runtime/plan/seccomp.h"
#include "runtime/plan/seccomp_compile.h"
#include "runtime/plan/seccomp_policy.h"
#include "runtime/plan/seccomp_text.h"
#include "runtime/spec/seccomp_names.h"
#include "tests/unit/seccomp_calls.h"
#include "tests/unit/seccomp_oracle.h"

namespace jaula::test {
namespace {

using spec::SeccompAction;
using spec::SeccompArgument;
using spec::SeccompConfig;
using spec::SeccompOperator;
using spec::SeccompRule;

constexpr std::uint64_t kBoundaries[] = {0,
                                         1,
                                         0x7fffffff,
                                         0x80000000,
                                         0xfffffffe,
                                         0xffffffff,
                                         0x100000000,
                                         0x100000001,
                                         0x1ffffffff,
                                         0x7fffffffffffffff,
                                         0x8000000000000000,
                                         0xffffffff00000000,
                                         0xfffffffffffffffe,
                                         0xffffffffffffffff};

bool holds(const SeccompArgument& argument, std::uint64_t value) {
  switch (argument.op) {
    case SeccompOperator::kNotEqual:
      return value != argument.value;
    case SeccompOperator::kLess:
      return value < argument.value;
    case SeccompOperator::kLessOrEqual:
      return value <= argument.value;
    case SeccompOperator::kEqual:
      return value == argument.value;
    case SeccompOperator::kGreaterOrEqual:
      return value >= argument.value;
    case SeccompOperator::kGreater:
      return value > argument.value;
    case SeccompOperator::kMaskedEqual:
      return (value & argument.value) == (argument.value_two & argument.value);
  }
  return false;
}

SeccompConfig allow_when(std::vector<std::vector<SeccompArgument>> sets) {
  SeccompConfig config{.default_action = SeccompAction::kErrno};
  for (auto& set : sets)
    config.syscalls.push_back(
        {.names = {"socket"}, .action = SeccompAction::kAllow, .args = std::move(set)});
  return config;
}

std::string answer_of(const SeccompConfig& config, std::string_view call, Arguments arguments) {
  return answer(plan::compile_seccomp(config), call, arguments);
}

}  // namespace

TEST_CASE("seccomp rules: every operator compares 64 bits, at every boundary") {
  for (const auto& word : spec::kSeccompOperators)
    for (const std::uint64_t value : kBoundaries)
      for (unsigned index = 0; index < 3; ++index) {
        const SeccompArgument argument{index, value, value, word.value};
        const Filter filter = plan::compile_seccomp(allow_when({{argument}}));
        for (const std::uint64_t given : kBoundaries) {
          Arguments arguments{};
          arguments[index] = given;
          CAPTURE(word.text);
          CHECK_EQ(answer(filter, "socket", arguments), holds(argument, given) ? "allow" : "EPERM");
        }
      }
}

TEST_CASE("seccomp rules: a mask looks at the bits that it names, in both halves") {
  for (const std::uint64_t mask : kBoundaries)
    for (const std::uint64_t value : kBoundaries) {
      const SeccompArgument argument{1, mask, value, SeccompOperator::kMaskedEqual};
      const Filter filter = plan::compile_seccomp(allow_when({{argument}}));
      for (const std::uint64_t given : kBoundaries)
        CHECK_EQ(answer(filter, "socket", {0, given}), holds(argument, given) ? "allow" : "EPERM");
    }
}

TEST_CASE("seccomp rules: the conditions of a rule all hold, and one rule of a call is enough") {
  const SeccompConfig config = allow_when(
      {{{0, 2, 0, SeccompOperator::kGreaterOrEqual}, {0, 5, 0, SeccompOperator::kLessOrEqual}},
       {{0, 9, 0, SeccompOperator::kEqual},
        {1, kBit32, 0, SeccompOperator::kGreater},
        {2, 0, 0, SeccompOperator::kNotEqual}}});
  const Filter filter = plan::compile_seccomp(config);
  for (std::uint64_t first = 0; first < 12; ++first)
    for (const std::uint64_t second : {std::uint64_t{0}, kBit32, kBit32 + 1})
      for (std::uint64_t third = 0; third < 2; ++third) {
        const bool in_range = first >= 2 && first <= 5;
        const bool exact = first == 9 && second > kBit32 && third != 0;
        CHECK_EQ(answer(filter, "socket", {first, second, third}),
                 in_range || exact ? "allow" : "EPERM");
      }
}

// Of several rules of a call libseccomp loses some when their conditions overlap: there the rules
// themselves are the judge.
TEST_CASE("seccomp rules: made at random, they answer as they say, and one alone as libseccomp") {
  std::mt19937_64 random(20'261'123);
  const auto pick = [&](std::uint64_t end) { return random() % end; };
  const auto value = [&] {
    const std::uint64_t base = kBoundaries[pick(std::size(kBoundaries))];
    return pick(3) == 0 ? random() : base;
  };
  for (int round = 0; round < 60; ++round) {
    std::vector<std::vector<SeccompArgument>> sets(1 + pick(3));
    std::vector<std::uint64_t> values;
    for (auto& set : sets)
      for (unsigned index = static_cast<unsigned>(pick(2)); index < 3;
           index += 1 + static_cast<unsigned>(pick(2))) {
        set.push_back({index, value(), value(), spec::kSeccompOperators[pick(7)].value});
        values.insert(values.end(), {set.back().value, set.back().value_two});
      }
    const SeccompConfig config = allow_when(sets);
    const Filter ours = plan::compile_seccomp(config);
    const Filter theirs = sets.size() == 1 ? compile_with_libseccomp(config) : ours;
    REQUIRE_FALSE(theirs.empty());
    for (int call = 0; call < 50; ++call) {
      Arguments arguments{};
      for (std::uint64_t& argument : arguments)
        argument = pick(2) == 0 ? value() : values[pick(values.size())] + pick(3) - 1;
      const bool allowed = std::ranges::any_of(sets, [&](const auto& set) {
        return std::ranges::all_of(
            set, [&](const auto& one) { return holds(one, arguments[one.index]); });
      });
      CHECK_EQ(answer(ours, "socket", arguments), allowed ? "allow" : "EPERM");
      CHECK_EQ(answer(ours, "socket", arguments), answer(theirs, "socket", arguments));
    }
  }
}

TEST_CASE("seccomp rules: an errno without a number is EPERM for calls and ENOSYS for numbers") {
  SeccompConfig config = allow_when({});
  config.syscalls = {{.names = {"read"}, .action = SeccompAction::kAllow}};
  Filter filter = plan::compile_seccomp(config);
  CHECK_EQ(answer(filter, "read"), "allow");
  CHECK_EQ(answer(filter, "mount"), "EPERM");
  for (const std::uint32_t number : {337U, 423U, 471U, 999U, kX32 - 1})
    CHECK_EQ(answer(filter, call_of(number)), "ENOSYS");
  config.default_errno_ret = 97;
  filter = plan::compile_seccomp(config);
  CHECK_EQ(answer(filter, "mount"), "EAFNOSUPPORT");
  for (const std::uint32_t number : {337U, 423U, 471U, 999U, kX32 - 1})
    CHECK_EQ(answer(filter, call_of(number)), "EAFNOSUPPORT");
}

TEST_CASE("seccomp rules: other ABIs are ENOSYS, whatever the default action is") {
  for (const auto& word : spec::kSeccompActions) {
    const Filter filter = plan::compile_seccomp(SeccompConfig{.default_action = word.value});
    for (const std::uint32_t number : {0U, 59U, 470U, 999U}) {
      CHECK_EQ(answer(filter, call_of(number, {}, AUDIT_ARCH_I386)), "ENOSYS");
      CHECK_EQ(answer(filter, call_of(number | kX32)), "ENOSYS");
      CHECK_NE(answer(filter, call_of(number)), "");
    }
    CHECK_EQ(answer(filter, call_of(UINT32_MAX)), "ENOSYS");
  }
}

TEST_CASE("seccomp rules: every action is the kernel's of that name") {
  const std::pair<SeccompAction, std::uint32_t> actions[] = {
      {SeccompAction::kKillThread, SECCOMP_RET_KILL_THREAD},
      {SeccompAction::kKillProcess, SECCOMP_RET_KILL_PROCESS},
      {SeccompAction::kTrap, SECCOMP_RET_TRAP},
      {SeccompAction::kErrno, SECCOMP_RET_ERRNO | EPERM},
      {SeccompAction::kLog, SECCOMP_RET_LOG},
      {SeccompAction::kAllow, SECCOMP_RET_ALLOW}};
  for (const auto& [action, returned] : actions) {
    SeccompConfig config{.default_action = SeccompAction::kTrap};
    config.syscalls = {{.names = {"read"}, .action = action}};
    const Filter filter = plan::compile_seccomp(config);
    CHECK_EQ(evaluate(filter, call_of(0)).value, returned);
    CHECK_EQ(evaluate(filter, call_of(1)).value, SECCOMP_RET_TRAP);
  }
}

TEST_CASE("seccomp rules: of a call's rules the first that holds decides, the whole one last") {
  SeccompConfig config{.default_action = SeccompAction::kErrno};
  config.syscalls = {
      {.names = {"socket"}, .action = SeccompAction::kAllow},
      {.names = {"socket"}, .action = SeccompAction::kErrno, .errno_ret = 97, .args = {{0, 1}}},
      {.names = {"socket"}, .action = SeccompAction::kErrno, .errno_ret = 38, .args = {{0, 1}}}};
  CHECK_EQ(answer_of(config, "socket", {1}), "EAFNOSUPPORT");
  CHECK_EQ(answer_of(config, "socket", {2}), "allow");
}

TEST_CASE("seccomp rules: each is a line, and the program is one that can be followed") {
  SeccompConfig config{.default_action = SeccompAction::kErrno};
  config.syscalls = {
      {.names = {"read", "write"}, .action = SeccompAction::kAllow},
      {.names = {"socket"},
       .action = SeccompAction::kErrno,
       .errno_ret = 97,
       .args = {{0, 1, 0, SeccompOperator::kGreater}, {2, 0xf, 3, SeccompOperator::kMaskedEqual}}}};
  const plan::OwnedPolicy policy = plan::make_policy(config);
  const std::string text = plan::rules_text(policy.policy);
  CHECK(text.find("\nsocket EAFNOSUPPORT if arg0 > 0x1 and arg2 & 0xf == 0x3\n"
                  "socket EPERM otherwise\n"
                  "ENOSYS every other number of x86-64\n"
                  "ENOSYS i386, x32 and other architectures\n") != text.npos);
  CHECK(text.starts_with("allow read write\nEPERM _sysctl accept"));
  const std::string tiny = plan::disassemble(plan::compile_seccomp(
      SeccompConfig{.default_action = SeccompAction::kErrno, .default_errno_ret = 38}));
  CHECK_EQ(tiny,
           "   0 ld [4]                       ; architecture\n"
           "   1 jeq #0xc000003e, 2, 3        ; x86-64\n"
           "   2 ld [0]                       ; number\n"
           "   3 ret #0x50026                 ; ENOSYS\n");
}

}  // namespace jaula::test
