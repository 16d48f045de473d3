#include "runtime/plan/labels.h"

#include <string>

namespace jaula::plan {
namespace {

void add_apparmor(const spec::JailConfig& config, const HostFacts& facts, LabelPlan& plan) {
  if (!config.process.apparmor_profile) return;
  const std::string& profile = *config.process.apparmor_profile;
  const std::string& origin = config.extra.apparmor_origin;
  if (facts.apparmor) {
    plan.labels.push_back(
        {.file = "attr/apparmor/exec", .text = "exec " + profile, .origin = origin});
  } else if (profile != "unconfined") {
    plan.problems.push_back(
        Error(0, origin, ": this kernel runs without AppArmor: the profile ", profile,
              " cannot be set")
            .hint("boot with apparmor=1 and apparmor in lsm=, or leave the option out"));
  }
}

// USER:ROLE:TYPE[:LEVEL], the level with colons of its own.
std::string changed_context(std::string_view context, const spec::SelinuxLabel& label) {
  std::string text;
  for (const std::string* part : {&label.user, &label.role, &label.type}) {
    const std::size_t colon = context.find(':');
    text += (part->empty() ? std::string(context.substr(0, colon)) : *part) + ':';
    context.remove_prefix(colon == std::string_view::npos ? context.size() : colon + 1);
  }
  text += label.level.empty() ? std::string(context) : label.level;
  if (text.back() == ':') text.pop_back();  // a policy without levels
  return text;
}

void add_selinux(const spec::JailConfig& config, const HostFacts& facts, LabelPlan& plan) {
  if (!config.extra.selinux || config.extra.selinux->disable) return;
  const std::string& origin = config.extra.selinux_origin;
  if (!facts.selinux_context.empty()) {
    plan.labels.push_back({.file = "attr/exec",
                           .text = changed_context(facts.selinux_context, *config.extra.selinux),
                           .origin = origin});
    return;
  }
  plan.problems.push_back(
      Error(0, origin, ": this kernel runs without SELinux: the label cannot be set")
          .hint("boot with selinux=1 and a policy, or leave the option out"));
}

}  // namespace

LabelPlan make_label_plan(const spec::JailConfig& config, const HostFacts& facts) {
  LabelPlan plan;
  add_apparmor(config, facts, plan);
  add_selinux(config, facts, plan);
  return plan;
}

}  // namespace jaula::plan
