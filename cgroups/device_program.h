// The program that a cgroup asks before a process of it opens or makes a device. It stays for as
// long as the cgroup does, and those further up are asked too. Parent side. bpf(2),
// Documentation/admin-guide/cgroup-v2.rst, Device controller
#pragma once

#include <linux/bpf.h>

#include <span>

#include "cgroups/cgroup.h"
#include "runtime/base/result.h"

namespace jaula::cgroups {

// Whether the kernel takes it; then it is dropped again.
Result<void> try_load(std::span<const bpf_insn> program);

Result<void> attach(const Cgroup& cgroup, std::span<const bpf_insn> program);

}  // namespace jaula::cgroups
