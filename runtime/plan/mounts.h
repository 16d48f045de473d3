// JailConfig -> MountPlan: the file system tree of a jail, in the order in which it is made.
// Parent side.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "isolation/mounts.h"
#include "runtime/plan/host_userland.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

// MountOp::origin of what comes with `rootfs: host`.
inline constexpr std::string_view kUserlandOrigin = "the machine's userland";

struct MountFacts {
  bool idmapped = false;  // mounts of the host are mapped to the jail's ids, from outside
  bool user_namespace = true;
  bool own_network = true;
  bool joined_network = false;
  bool host_processes = false;
  bool cgroup = true;                            // the jail has a cgroup, and a namespace of it
  std::string host_cgroups = {};                 // where the host's tree is, for `cgroup: host`
  bool tty_group = true;                         // group 5 exists in the id map
  std::vector<isolation::MountOp> devices = {};  // of the host, for the spec
};

isolation::MountPlan make_mount_plan(const spec::JailConfig& config,
                                     const std::vector<UserlandEntry>& userland,
                                     const MountFacts& facts);

// Directories of the host that volumes want made (`create_host_path`) and that are not there.
std::vector<std::string> directories_to_make(const spec::JailConfig& config);

// Volumes that ask for mapped ids (`idmap`) where they cannot be had.
std::vector<Error> check_idmaps(const spec::JailConfig& config, const MountFacts& facts);

// What of the plan is made outside, in the order in which isolation::apply() takes it.
std::vector<isolation::TreeSource> sources_made_outside(const isolation::MountPlan& plan);

// What cannot be mounted because it is not there, or is not what it must be: the root directory,
// the sources of volumes, unless they may be made (`create_host_path`).
std::vector<Error> check_sources(const spec::JailConfig& config);

// Targets in a root directory that no mount can stand on: links, FIFOs, devices, a file for a
// directory.
std::vector<Error> check_targets(const spec::JailConfig& config);

}  // namespace jaula::plan
