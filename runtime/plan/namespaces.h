// Namespaces: from a spec's words to a JailConfig's list, and from there to flags of the clone.
// Parent side. namespaces(7)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "isolation/time_namespace.h"
#include "runtime/base/error.h"
#include "runtime/plan/host_facts.h"
#include "runtime/spec/jail_config.h"
#include "runtime/spec/service_spec.h"

namespace jaula::plan {

// The jail's host name: the spec's, its own name, the host's; empty where it joins one.
std::string hostname_of(const spec::ServiceSpec& service, const std::string& name);

void lower_namespaces(const spec::ServiceSpec& service, spec::JailConfig& config,
                      std::vector<Error>& problems);
// After the namespaces, which they belong to. CVE-2022-0811
void lower_sysctls(const spec::ServiceSpec& service, spec::JailConfig& config,
                   std::vector<Error>& problems);

// Whether the jail has a namespace of this type that nobody had before, or one that others have.
bool has_own_namespace(const spec::JailConfig& config, std::string_view type);
bool joins_namespace(const spec::JailConfig& config, std::string_view type);

// CLONE_NEW* of a type; 0: there is none of that name.
std::uint64_t namespace_flag(std::string_view type);

struct NamespacePlan {
  std::uint64_t made = 0;    // by the clone: those of the cgroup and of time are made inside
  std::uint64_t joined = 0;  // entered before it
  bool cgroup = false;
  isolation::TimeNamespace time;
};
NamespacePlan make_namespace_plan(const spec::JailConfig& config);

// What of that this host or this user cannot do.
std::vector<Error> check_namespaces(const spec::JailConfig& config, const HostFacts& facts,
                                    bool in_cgroup);

}  // namespace jaula::plan
