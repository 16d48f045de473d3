#include "runtime/plan/privileges.h"

#include "runtime/base/mutant.h"
#include "runtime/plan/capabilities.h"
#include "runtime/plan/profile.h"
#include "runtime/spec/capability_names.h"

namespace jaula::plan {
namespace {

constexpr std::uint64_t kAll = (std::uint64_t{1} << spec::kCapabilityNames.size()) - 1;

std::uint64_t changed(std::uint64_t set, const std::vector<spec::Sourced<std::string>>& names,
                      bool add) {
  for (const auto& name : names) {
    const auto number = capability_number(name.value);
    const std::uint64_t bits = number ? std::uint64_t{1} << *number : kAll;
    set = add ? set | bits : set & ~bits;
  }
  return set;
}

}  // namespace

void lower_privileged(const spec::ServiceSpec& service, spec::JailConfig& config,
                      std::vector<Error>& problems) {
  config.extra.privileged = service.privileged && service.privileged->value;
  if (!config.extra.privileged) return;
  if (!service.seccomp) config.extra.seccomp = spec::SeccompProfile::kUnconfined;
  // docker passes over what is dropped; less than was asked for is no answer here.
  for (const auto& name : service.cap_drop)
    if (name.value == "ALL")
      problems.push_back(Error(0, name.origin.text(), ": ALL contradicts `privileged: true`")
                             .hint("leave one of them out"));
  if (service.seccomp && service.seccomp->value.profile == spec::SeccompProfile::kStrict)
    problems.push_back(
        Error(0, service.seccomp->origin.text(), ": strict contradicts `privileged: true`")
            .hint("leave one of them out"));
}

// As docker: what is dropped goes first, what is added is there in any case.
void lower_capabilities(const spec::ServiceSpec& service, spec::JailConfig& config) {
  const bool strict = config.extra.seccomp == spec::SeccompProfile::kStrict;
  const bool root = config.process.user.uid == 0;
  std::uint64_t base = config.extra.privileged ? kAll : 0;
  if ((root || mutant("none for users")) && !strict)
    for (const std::string_view name : kDefaultCapabilities)
      base |= std::uint64_t{1} << *capability_number(name);
  // Who maps root of the jail into a user namespace inside must have it. user_namespaces(7)
  if (base != 0 && service.nesting && service.nesting->value > 0)
    base |= std::uint64_t{1} << *capability_number("CAP_SETFCAP");
  const std::uint64_t held = changed(changed(base, service.cap_drop, false), service.cap_add, true);
  spec::CapabilitySets& sets = config.process.capabilities;
  sets.bounding = sets.permitted = sets.effective = capability_names(held);
  if (root) return;
  // Without uid 0 an execve keeps only what is ambient. What `privileged` bounds such a user has to
  // gain, by a set-user-ID program or a file's capabilities, as with docker and podman.
  if (config.extra.privileged)
    sets.permitted = sets.effective = capability_names(changed(0, service.cap_add, true));
  sets.ambient = sets.inheritable = sets.permitted;
}

void lower_labels(const spec::ServiceSpec& service, spec::JailConfig& config) {
  if (service.apparmor) {
    config.process.apparmor_profile = service.apparmor->value;
    config.extra.apparmor_origin = service.apparmor->origin.text();
  }
  if (service.selinux) {
    config.extra.selinux = service.selinux->value;
    config.extra.selinux_origin = service.selinux->origin.text();
  }
}

void lower_execution(const spec::ServiceSpec& service, spec::JailConfig& config) {
  if (service.personality) config.personality = service.personality->value;
  if (!service.core_scheduling) return;
  config.extra.core_scheduling = service.core_scheduling->value;
  config.extra.core_scheduling_origin = service.core_scheduling->origin.text();
}

void limit_capabilities(spec::JailConfig& config, std::uint32_t uid) {
  spec::CapabilitySets& sets = config.process.capabilities;
  const bool was_root = config.process.user.uid == 0;
  if (uid != 0 && was_root) {
    std::vector<std::string> bounding;
    if (config.extra.privileged) bounding = std::move(sets.bounding);
    sets = {};
    sets.bounding = std::move(bounding);
  }
  if (uid == 0 && !was_root) {
    sets.ambient = sets.inheritable = {};
    if (config.extra.privileged) sets.permitted = sets.effective = sets.bounding;
  }
}

}  // namespace jaula::plan
