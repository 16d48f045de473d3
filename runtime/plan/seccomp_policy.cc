#include "runtime/plan/seccomp_policy.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace jaula::plan {
namespace {

using spec::SeccompAction;
using spec::SeccompArgument;
using spec::SeccompConfig;
using spec::SeccompOperator;
using spec::SeccompRule;

std::uint32_t errno_of(const std::optional<std::uint32_t>& number) {
  return number.value_or(EPERM) & SECCOMP_RET_DATA;
}

Action to_action(SeccompAction action, const std::optional<std::uint32_t>& number) {
  switch (action) {
    case SeccompAction::kKillThread:
      return Action{SECCOMP_RET_KILL_THREAD};
    case SeccompAction::kKillProcess:
      return Action{SECCOMP_RET_KILL_PROCESS};
    case SeccompAction::kTrap:
      return Action{SECCOMP_RET_TRAP};
    case SeccompAction::kErrno:
      return Action{SECCOMP_RET_ERRNO | errno_of(number)};
    case SeccompAction::kLog:
      return Action{SECCOMP_RET_LOG};
    case SeccompAction::kAllow:
      return Action::kAllow;
  }
  return Action::kNotPermitted;
}

Condition to_condition(const SeccompArgument& argument) {
  const auto with = [&](Comparison comparison) {
    return Condition{argument.index, argument.value, UINT64_MAX, comparison};
  };
  switch (argument.op) {
    case SeccompOperator::kNotEqual:
      return with(Comparison::kNotEqual);
    case SeccompOperator::kLess:
      return with(Comparison::kLess);
    case SeccompOperator::kLessOrEqual:
      return with(Comparison::kLessOrEqual);
    case SeccompOperator::kEqual:
      return with(Comparison::kEqual);
    case SeccompOperator::kGreaterOrEqual:
      return with(Comparison::kGreaterOrEqual);
    case SeccompOperator::kGreater:
      return with(Comparison::kGreater);
    case SeccompOperator::kMaskedEqual:  // libseccomp masks what it compares with, too
      return {argument.index, argument.value_two & argument.value, argument.value,
              Comparison::kEqual};
  }
  return with(Comparison::kEqual);
}

struct Rules {
  const SeccompRule* whole = nullptr;            // the first without conditions
  std::vector<std::span<const Condition>> when;  // of those with
  std::vector<Action> then;
};

std::map<int, Rules> collect(const SeccompConfig& config, std::vector<Condition>& conditions) {
  std::size_t count = 0;
  for (const SeccompRule& rule : config.syscalls) count += rule.args.size();
  conditions.reserve(count);  // spans into it are kept
  std::map<int, Rules> calls;
  for (const SeccompRule& rule : config.syscalls) {
    const std::size_t first = conditions.size();
    for (const SeccompArgument& argument : rule.args) conditions.push_back(to_condition(argument));
    const auto when = std::span<const Condition>(conditions).subspan(first);
    for (const std::string& name : rule.names) {
      const auto number = spec::find_syscall(name);
      if (!number) continue;  // recorded by a newer jaula
      Rules& rules = calls[*number];
      if (when.empty()) {
        if (rules.whole == nullptr) rules.whole = &rule;
      } else {
        rules.when.push_back(when);
        rules.then.push_back(to_action(rule.action, rule.errno_ret));
      }
    }
  }
  return calls;
}

}  // namespace

OwnedPolicy make_policy(const SeccompConfig& config) {
  OwnedPolicy out;
  const Action standard = to_action(config.default_action, config.default_errno_ret);
  const bool plain_errno =
      config.default_action == SeccompAction::kErrno && !config.default_errno_ret;
  out.policy.above = plain_errno ? Action::kNoSuchCall : standard;
  for (std::size_t number = 0; number < out.policy.actions.size(); ++number)
    out.policy.actions[number] =
        spec::syscall_name(static_cast<int>(number)).empty() ? out.policy.above : standard;
  const std::map<int, Rules> calls = collect(config, out.conditions);
  std::size_t count = 0;
  for (const auto& [number, rules] : calls) count += rules.when.size();
  out.clauses.reserve(count);
  for (const auto& [number, rules] : calls) {
    const Action otherwise =
        rules.whole != nullptr ? to_action(rules.whole->action, rules.whole->errno_ret) : standard;
    out.policy.actions[static_cast<std::size_t>(number)] =
        rules.when.empty() ? otherwise : Action::kByArguments;
    if (rules.when.empty()) continue;
    const std::size_t first = out.clauses.size();
    for (std::size_t i = 0; i < rules.when.size(); ++i)
      out.clauses.push_back(
          {.when = rules.when[i].front(), .then = rules.then[i], .more = rules.when[i].subspan(1)});
    out.rules.push_back({number, std::span<const Clause>(out.clauses).subspan(first), otherwise});
  }
  out.policy.rules = out.rules;
  return out;
}

SeccompConfig lower_file(const spec::SeccompFile& file, std::uint64_t capabilities) {
  SeccompConfig config = file.config;
  std::set<std::string_view> whole;
  for (const spec::SeccompFileRule& candidate : file.rules) {
    const bool there =
        (candidate.needs & ~capabilities) == 0 && (candidate.without & capabilities) == 0;
    if (!there) continue;
    config.syscalls.push_back(candidate.rule);
    if (candidate.rule.args.empty())
      whole.insert(candidate.rule.names.begin(), candidate.rule.names.end());
  }
  for (SeccompRule& rule : config.syscalls)
    if (!rule.args.empty())
      std::erase_if(rule.names, [&](const std::string& name) { return whole.contains(name); });
  std::erase_if(config.syscalls, [](const SeccompRule& rule) { return rule.names.empty(); });
  return config;
}

}  // namespace jaula::plan
