// The machine below this kernel, for `jaula doctor`: what its processors can do, and who runs it.
// Parent side. systemd-detect-virt(1)
#pragma once

#include <string>
#include <string_view>

#include "runtime/plan/kernel_facts.h"

namespace jaula::plan {

struct MachineFacts {
  std::string cpu_extension = {};  // "vmx" (Intel), "svm" (AMD); empty: neither is offered here
  std::string hypervisor = {};     // who runs this machine: "KVM", "Xen"; empty: nobody
  std::string model = {};          // vendor and product in the firmware: "QEMU Standard PC"
  std::string container = {};      // the engine around us: "docker"; empty: none is seen
  Trial kvm = {};                  // /dev/kvm opens and answers
};

// `root` stands before every path, for tests.
MachineFacts probe_machine(const std::string& root = "");

// The first "flags" line of /proc/cpuinfo has this word.
bool has_cpu_flag(std::string_view cpuinfo, std::string_view flag);

}  // namespace jaula::plan
