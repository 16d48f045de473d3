// Devices of the host in a jail: what is bound, and the program of the cgroup that says what may be
// done with which. Parent side. user_namespaces(7), bpf(2)
#pragma once

#include <linux/bpf.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "isolation/mounts.h"
#include "runtime/base/error.h"
#include "runtime/plan/host_facts.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

struct DeviceRule {
  bool block = false;
  std::uint32_t major = 0;
  std::optional<std::uint32_t> minor = {};  // none: all of them
  bool read = true, write = true, make = true;
};

// What no rule allows in one piece is refused with EPERM.
std::vector<bpf_insn> compile_devices(std::span<const DeviceRule> rules);

void lower_devices(const spec::ServiceSpec& service, spec::JailConfig& config);

struct DevicePlan {
  std::vector<isolation::MountOp> binds;
  std::vector<DeviceRule> rules;  // of the cgroup's program; empty: none
  std::vector<Error> problems;
  std::vector<Error> lacking;  // what takes a cgroup
};
// `user_namespace`: the jail has one of its own, so no node can be made in it. `in_cgroup`: it has
// a cgroup that is its own.
DevicePlan make_device_plan(const spec::JailConfig& config, const HostFacts& facts,
                            bool user_namespace, bool in_cgroup);

}  // namespace jaula::plan
