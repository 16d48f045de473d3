// Everything that starting a jail needs, decided and ready for the kernel: made before the clone,
// only read after it. make_plan() is the one place where a configuration meets the host.
#pragma once

#include <sys/ioctl.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cgroups/cgroup.h"
#include "cgroups/device_program.h"
#include "isolation/core_scheduling.h"
#include "isolation/credentials.h"
#include "isolation/hostname.h"
#include "isolation/id_maps.h"
#include "isolation/init.h"
#include "isolation/landlock.h"
#include "isolation/lsm_label.h"
#include "isolation/mounts.h"
#include "isolation/oom_score.h"
#include "isolation/payload.h"
#include "isolation/personality.h"
#include "isolation/rlimits.h"
#include "isolation/seccomp.h"
#include "isolation/sysctls.h"
#include "isolation/time_namespace.h"
#include "runtime/base/result.h"
#include "runtime/plan/host_facts.h"
#include "runtime/plan/host_userland.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

struct LaunchPlan {
  std::uint64_t namespaces = 0;  // CLONE_NEW* of the clone; cgroup and time are unshared inside
  std::uint64_t joined = 0;      // CLONE_NEW* of what is entered before it
  bool cgroup_namespace = true;
  isolation::TimeNamespace time;
  isolation::InitPlace place = isolation::InitPlace::kFirst;
  isolation::IdMaps ids;
  uid_t root_uid = 0;  // ids inside that set the jail up: 0, or the only ones mapped
  gid_t root_gid = 0;
  isolation::Hostname hostname;
  isolation::MountPlan mounts;  // exec: empty
  bool loopback = false;
  std::vector<isolation::Sysctl> sysctls;
  std::vector<isolation::Rlimit> rlimits;
  std::vector<std::string> rlimit_origins;
  isolation::OomScore oom_score;
  isolation::Credentials credentials;
  isolation::SeccompFilter seccomp;  // of all processes; that of payload.filter is the other way
  isolation::SeccompFilter init_seccomp;  // of PID 1 where the payload has a filter of its own
  isolation::Landlock landlock;
  std::vector<isolation::LsmLabel> labels;
  isolation::Personality personality;
  isolation::CoreScheduling core_scheduling;
  isolation::Payload payload;
  bool terminal = false;
  winsize terminal_size{};
  bool init = true;  // run_as_init instead of execute

  bool in_cgroup = true;  // false: the host has none for us and the spec does without
  std::vector<cgroups::Write> cgroup_writes;
  std::vector<bpf_insn> device_program;  // of the cgroup; empty: none
  std::vector<std::string> degraded;     // what is weaker than it could be, told to people
};

// With the place in the spec of the limit that the error is about. Both sides of the fork.
inline Error with_rlimit_origin(Error error, const LaunchPlan& plan) noexcept {
  const std::string& origin = plan.rlimit_origins[static_cast<std::size_t>(error.index())];
  return origin.empty() ? error : error.in(origin, ": ");
}

struct PlanOptions {
  std::uint32_t id_base = 0;  // first host id of the jail's own range
  bool degrade = false;       // --degrade warn: what cannot be applied becomes a warning
  winsize terminal_size{};
  std::vector<UserlandEntry> userland = {};  // of the machine, for `rootfs: host`
};

struct Planned {
  LaunchPlan plan;
  std::vector<Error> problems;  // not empty: the plan must not be used
};

Planned make_plan(const spec::JailConfig& config, const HostFacts& facts,
                  const PlanOptions& options);

// A process for a running jail: the same identity, filter and limits, other arguments, no mounts.
Planned make_exec_plan(const spec::JailConfig& config, const HostFacts& facts,
                       const PlanOptions& options);

// One fact a line, for `jaula plan` and the golden tests.
// `all`: with what `rootfs: host` takes of the machine, which differs from host to host.
std::string print(const LaunchPlan& plan, const spec::JailConfig& config, bool all);

}  // namespace jaula::plan
