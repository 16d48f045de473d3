#include "runtime/plan/seccomp_text.h"

#include <string.h>

#include <cstdio>
#include <map>
#include <vector>

namespace jaula::plan {
namespace {

constexpr std::size_t kColumns = 100;

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// "arg1:32 & 0xf == 0xa": the low 32 bits alone are looked at.
std::string condition_text(const Condition& condition) {
  static constexpr const char* kSigns[] = {"==", "==", "!=", "<", "<=", ">", ">="};
  const bool half = condition.comparison == Comparison::kEqual32;
  const std::uint64_t whole = half ? UINT32_MAX : UINT64_MAX;
  const bool masked = (half || condition.comparison == Comparison::kEqual) &&
                      condition.mask != whole && condition.mask != UINT64_MAX;
  std::string text = "arg" + std::to_string(condition.argument) + (half ? ":32" : "");
  if (masked) text += " & " + hex(condition.mask);
  return text + ' ' + kSigns[static_cast<std::size_t>(condition.comparison)] + ' ' +
         hex(condition.value);
}

std::string clause_text(const Clause& clause) {
  std::string text = " if " + condition_text(clause.when);
  if (clause.also) text += " and " + condition_text(*clause.also);
  for (const Condition& condition : clause.more) text += " and " + condition_text(condition);
  return text;
}

void add_rule(std::string& text, const ArgumentRule& rule, std::uint64_t capabilities) {
  const std::string name(spec::syscall_name(rule.number));
  for (const Clause& clause : rule.clauses)
    if ((clause.needs & ~capabilities) == 0 && (clause.unless & capabilities) == 0)
      text += name + ' ' + action_text(static_cast<std::uint32_t>(clause.then)) +
              clause_text(clause) + '\n';
  text += name + ' ' + action_text(static_cast<std::uint32_t>(rule.otherwise)) + " otherwise\n";
}

void add_names(std::string& text, const std::string& answer,
               const std::vector<std::string_view>& names) {
  std::string line = answer;
  for (const std::string_view name : names) {
    if (line.size() + 1 + name.size() > kColumns) {
      text += line + '\n';
      line = answer;
    }
    line.append(" ").append(name);
  }
  text += line + '\n';
}

}  // namespace

std::string action_text(std::uint32_t returned) {
  const std::uint32_t data = returned & SECCOMP_RET_DATA;
  switch (returned & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
      return "allow";
    case SECCOMP_RET_LOG:
      return "log";
    case SECCOMP_RET_TRAP:
      return "trap";
    case SECCOMP_RET_KILL_THREAD:
      return "kill-thread";
    case SECCOMP_RET_KILL_PROCESS:
      return "kill-process";
    default:
      break;
  }
  const char* name = data == 0 ? nullptr : ::strerrorname_np(static_cast<int>(data));
  return name != nullptr ? name : "errno-" + std::to_string(data);
}

std::string rules_text(const Policy& policy) {
  std::map<std::uint32_t, std::vector<std::string_view>> answers;
  for (const int number : spec::kSyscallsByName) {
    const Action action = policy.actions[static_cast<std::size_t>(number)];
    if (action != Action::kByArguments)
      answers[static_cast<std::uint32_t>(action)].push_back(spec::syscall_name(number));
  }
  std::string text;
  for (auto answer = answers.rbegin(); answer != answers.rend(); ++answer)
    add_names(text, action_text(answer->first), answer->second);
  for (const ArgumentRule& rule : policy.rules)
    if (policy.actions[static_cast<std::size_t>(rule.number)] == Action::kByArguments)
      add_rule(text, rule, policy.capabilities);
  text += action_text(static_cast<std::uint32_t>(policy.above)) +
          " every other number of x86-64\nENOSYS i386, x32 and other architectures\n";
  return text;
}

}  // namespace jaula::plan
