// The compiler: that every program it makes is one the kernel takes, and a fast one.
#include "runtime/plan/seccomp_compile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>

#include "runtime/plan/seccomp.h"
#include "tests/unit/seccomp_calls.h"

namespace jaula::test {
namespace {

using plan::Action;
using spec::SeccompProfile;

constexpr std::size_t kKernelLimit = 4096;  // BPF_MAXINSNS
constexpr std::uint64_t kOneCapability[] = {0, 1U << 12, 1U << 13, 1U << 21, ~std::uint64_t{0}};

bool is_jump(const sock_filter& instruction) { return BPF_CLASS(instruction.code) == BPF_JMP; }
bool is_long_jump(const sock_filter& instruction) { return instruction.code == (BPF_JMP | BPF_JA); }

// What the kernel's bpf_check_classic() asks of jumps and of the end.
bool is_closed(const Filter& filter) {
  for (std::size_t at = 0; at < filter.size(); ++at) {
    if (!is_jump(filter[at])) continue;
    const std::size_t furthest =
        is_long_jump(filter[at]) ? filter[at].k : std::max(filter[at].jt, filter[at].jf);
    if (at + 1 + furthest >= filter.size()) return false;
  }
  return !filter.empty() && filter.size() <= kKernelLimit &&
         filter.back().code == (BPF_RET | BPF_K);
}

// How many instructions the calls of the tests execute, of all ABIs.
std::size_t count_executed(const Filter& filter) {
  std::vector<bool> executed(filter.size());
  const auto run = [&](const seccomp_data& call) {
    for (const std::size_t at : evaluate(filter, call).path) executed[at] = true;
  };
  for (std::uint32_t number = 0; number < kNumbers; ++number)
    for (const seccomp_data& call : calls_of(number)) run(call);
  run(call_of(0, {}, AUDIT_ARCH_I386));
  return static_cast<std::size_t>(std::count(executed.begin(), executed.end(), true));
}

bool loads_an_argument(const Filter& filter, const Evaluation& result) {
  return std::any_of(result.path.begin(), result.path.end(), [&filter](std::size_t at) {
    return BPF_CLASS(filter[at].code) == BPF_LD && filter[at].k >= offsetof(seccomp_data, args);
  });
}

// Every number its own range, and every rule at its place: the largest policy there can be.
plan::Policy alternating_policy() {
  plan::Policy policy = plan::make_policy(SeccompProfile::kDefault, 0);
  for (std::size_t number = 0; number < policy.actions.size(); ++number)
    if (policy.actions[number] != Action::kByArguments)
      policy.actions[number] = number % 2 == 0 ? Action::kAllow : Action::kNotPermitted;
  return policy;
}

}  // namespace

TEST_CASE("seccomp compiler: a program longer than a jump reaches answers every number") {
  const plan::Policy policy = alternating_policy();
  const Filter filter = plan::compile(policy);
  const Filter standard = plan::compile_seccomp(SeccompProfile::kDefault, 0);
  REQUIRE(is_closed(filter));
  CHECK(filter.size() > 512);
  // A return out of reach is repeated once for many branches, not jumped to by each.
  CHECK(filter.size() < 512 + 64);
  CHECK(std::any_of(filter.begin(), filter.end(), is_long_jump));
  for (std::uint32_t number = 0; number < policy.actions.size(); ++number) {
    const char* expected = number % 2 == 0 ? "allow" : "EPERM";
    for (const seccomp_data& call : calls_of(number))
      CHECK(answer(filter, call) ==
            (policy.actions[number] == Action::kByArguments ? answer(standard, call) : expected));
  }
  CHECK(answer(filter, call_of(spec::kSyscallEnd)) == "ENOSYS");
  CHECK(answer(filter, call_of(0, {}, AUDIT_ARCH_I386)) == "ENOSYS");
}

TEST_CASE("seccomp compiler: a policy of one answer has no tree") {
  plan::Policy policy;
  policy.actions.fill(Action::kNoSuchCall);
  const Filter filter = plan::compile(policy);
  REQUIRE(is_closed(filter));
  CHECK(filter.size() <= 4);
  CHECK(answer(filter, call_of(0)) == "ENOSYS");
}

TEST_CASE("seccomp compiler: an argument rule needs nothing that other calls left behind") {
  const Filter standard = plan::compile_seccomp(SeccompProfile::kDefault, 0);
  for (const plan::ArgumentRule& rule : plan::make_policy(SeccompProfile::kDefault, 0).rules) {
    plan::Policy policy = plan::make_policy(SeccompProfile::kDefault, 0);
    policy.actions.fill(Action::kNoSuchCall);
    policy.actions[static_cast<std::size_t>(rule.number)] = Action::kByArguments;
    const Filter filter = plan::compile(policy);
    REQUIRE(is_closed(filter));
    for (const seccomp_data& call : calls_of(static_cast<std::uint32_t>(rule.number)))
      CHECK(answer(filter, call) == answer(standard, call));
  }
}

TEST_CASE("seccomp compiler: a masked comparison leaves the argument whole for the next") {
  const plan::Clause clauses[] = {
      {.when = {0, 0x10, 0xf0}, .then = Action::kAllow},
      {.when = {0, 0x23}, .then = Action::kNoSuchFamily},
  };
  const plan::ArgumentRule rules[] = {{0, clauses, Action::kNotPermitted}};
  plan::Policy policy{.actions = {}, .rules = rules};
  policy.actions.fill(Action::kNoSuchCall);
  policy.actions[0] = Action::kByArguments;
  const Filter filter = plan::compile(policy);
  CHECK(answer(filter, call_of(0, {0x1f})) == "allow");
  CHECK(answer(filter, call_of(0, {0x23})) == "EAFNOSUPPORT");
  CHECK(answer(filter, call_of(0, {0x20})) == "EPERM");
  CHECK(answer(filter, call_of(0, {0x123})) == "EPERM");
}

TEST_CASE("seccomp compiler: each instruction of a profile is valid and has a call that runs it") {
  for (const std::uint64_t capabilities : kOneCapability)
    for (const SeccompProfile profile : {SeccompProfile::kDefault, SeccompProfile::kStrict}) {
      const Filter filter = plan::compile_seccomp(profile, capabilities);
      REQUIRE(is_closed(filter));
      CHECK(count_executed(filter) == filter.size());
    }
}

TEST_CASE("seccomp compiler: the kernel can see that a call is always allowed") {
  for (const SeccompProfile profile : {SeccompProfile::kDefault, SeccompProfile::kStrict}) {
    const plan::Policy policy = plan::make_policy(profile, 0);
    const Filter filter = plan::compile(policy);
    for (std::uint32_t number = 0; number < policy.actions.size(); ++number) {
      const Evaluation result = evaluate(filter, call_of(number));
      const bool by_arguments = policy.actions[number] == Action::kByArguments;
      CHECK(loads_an_argument(filter, result) == by_arguments);
      if (!by_arguments) CHECK(result.path.size() <= 3 + 8 + 1);  // loads, tree, return
    }
  }
}

}  // namespace jaula::test
