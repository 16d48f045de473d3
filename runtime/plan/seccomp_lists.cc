// The lists of a spec to the words of OCI: `{allow, deny, mode}`. docs/spec.md
#include <map>
#include <set>
#include <string_view>

#include "runtime/plan/seccomp_policy.h"
#include "runtime/spec/syscall_groups.h"

namespace jaula::plan {
namespace {

using spec::SeccompAction;
using spec::SeccompArgument;
using spec::SeccompConfig;
using spec::SeccompOperator;
using spec::SeccompRule;

// The lists on their way to rules: what each call gets, by number, in the words of our own
// profiles, and the conditions that the spec has written itself.
class Lists {
 public:
  Lists(const spec::SeccompLists& lists, std::uint64_t capabilities)
      : lists_(lists),
        capabilities_(capabilities),
        standard_(make_policy(spec::SeccompProfile::kDefault, capabilities)) {}

  SeccompConfig lower() {
    answers_ = standard_.actions;
    if (lists_.allow) {
      for (Action& answer : answers_)
        if (answer != Action::kNoSuchCall) answer = Action::kNotPermitted;
      allow_group(spec::kImpliedGroup);
      for (const spec::SeccompEntry& entry : *lists_.allow)
        if (!entry.whole) allow(entry.name);
      for (const spec::SeccompEntry& entry : *lists_.allow)
        if (entry.whole) allow(entry);
    }
    for (const std::string& name : lists_.deny) deny(name);
    return write();
  }

 private:
  static std::size_t index_of(std::string_view name) {
    return static_cast<std::size_t>(*spec::find_syscall(name));
  }

  // What decides by arguments in `default` goes on doing so; `{name: X}` is how to say otherwise.
  void allow_call(std::size_t number) {
    const bool by_arguments = standard_.actions[number] == Action::kByArguments;
    answers_[number] = by_arguments ? Action::kByArguments : Action::kAllow;
  }
  // What is not there in `default`, clone3 above all, is not there because it is in a group.
  void allow_group(std::string_view group) {
    spec::each_in_group(group, [&](std::string_view name) {
      if (!spec::find_syscall(name)) return;
      if (standard_.actions[index_of(name)] != Action::kNoSuchCall) allow_call(index_of(name));
    });
  }
  void allow(const std::string& name) {
    if (name.starts_with('@')) return allow_group(name);
    if (const auto number = spec::find_syscall(name))
      return allow_call(static_cast<std::size_t>(*number));
    const bool strict = name == "strict";
    const Policy base = strict ? make_policy(spec::SeccompProfile::kStrict, 0) : standard_;
    for (std::size_t number = 0; number < answers_.size(); ++number)
      if (base.actions[number] == Action::kAllow || base.actions[number] == Action::kByArguments)
        allow_call(number);
  }
  void allow(const spec::SeccompEntry& entry) {
    if (entry.args.empty()) {
      answers_[index_of(entry.name)] = Action::kAllow;
      own_.erase(entry.name);
      whole_.insert(entry.name);
    } else if (!whole_.contains(entry.name)) {
      answers_[index_of(entry.name)] = Action::kNotPermitted;
      own_[entry.name].push_back(
          {.names = {entry.name}, .action = SeccompAction::kAllow, .args = entry.args});
    }
  }
  void deny_call(std::string_view name) {
    if (!spec::find_syscall(name)) return;
    Action& answer = answers_[index_of(name)];
    if (answer != Action::kNoSuchCall) answer = Action::kNotPermitted;
    own_.erase(std::string(name));
  }
  void deny(const std::string& name) {
    if (!name.starts_with('@')) return deny_call(name);
    spec::each_in_group(name, [&](std::string_view call) { deny_call(call); });
  }

  // `mode: log`: what would be refused is let through and logged. What is as if the kernel did not
  // have it stays so, for its callers have another way, and that is the one to be seen.
  [[nodiscard]] SeccompRule rule_of(Action action) const {
    if (action == Action::kAllow) return {.names = {}, .action = SeccompAction::kAllow};
    if (lists_.log && action != Action::kNoSuchCall)
      return {.names = {}, .action = SeccompAction::kLog};
    return {.names = {},
            .action = SeccompAction::kErrno,
            .errno_ret = static_cast<std::uint32_t>(action) & SECCOMP_RET_DATA};
  }

  static SeccompArgument argument_of(const Condition& condition) {
    return {condition.argument, condition.mask, condition.value, SeccompOperator::kMaskedEqual};
  }

  void write_rules(const ArgumentRule& rule, SeccompConfig& config) const {
    const std::string name(spec::syscall_name(rule.number));
    for (const Clause& clause : rule.clauses) {
      if ((clause.needs & ~capabilities_) != 0 || (clause.unless & capabilities_) != 0) continue;
      SeccompRule out = rule_of(clause.then);
      out.names = {name};
      out.args = {argument_of(clause.when)};
      if (clause.also) out.args.push_back(argument_of(*clause.also));
      config.syscalls.push_back(std::move(out));
    }
    SeccompRule rest = rule_of(rule.otherwise);
    rest.names = {name};
    config.syscalls.push_back(std::move(rest));
  }

  [[nodiscard]] SeccompConfig write() const {
    SeccompConfig config;
    config.default_action = lists_.log ? SeccompAction::kLog : SeccompAction::kErrno;
    for (const Action action : {Action::kAllow, Action::kNoSuchCall}) {
      SeccompRule rule = rule_of(action);
      for (std::size_t number = 0; number < answers_.size(); ++number) {
        const std::string_view name = spec::syscall_name(static_cast<int>(number));
        if (answers_[number] == action && !name.empty()) rule.names.emplace_back(name);
      }
      config.syscalls.push_back(std::move(rule));
    }
    for (const ArgumentRule& rule : standard_.rules)
      if (answers_[static_cast<std::size_t>(rule.number)] == Action::kByArguments)
        write_rules(rule, config);
    for (const auto& [name, rules] : own_)
      config.syscalls.insert(config.syscalls.end(), rules.begin(), rules.end());
    return config;
  }

  const spec::SeccompLists& lists_;
  std::uint64_t capabilities_;
  Policy standard_;
  std::array<Action, spec::kSyscallEnd> answers_ = {};
  std::map<std::string, std::vector<SeccompRule>> own_;
  std::set<std::string> whole_;
};

}  // namespace

SeccompConfig lower_lists(const spec::SeccompLists& lists, std::uint64_t capabilities) {
  return Lists(lists, capabilities).lower();
}

}  // namespace jaula::plan
