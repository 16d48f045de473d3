#include "runtime/plan/machine_facts.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula::plan {
namespace {

// About 1.5 KiB a processor.
constexpr std::size_t kMaxCpuinfo = std::size_t{16} << 20;

std::string line_of(const std::string& path) { return std::string(trim(read_or_empty(path))); }

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// A hypervisor signs a CPUID leaf that real processors do not have.
std::string cpuid_signature() {
  std::array<char, 12> signature{};
#if defined(__x86_64__) || defined(__i386__)
  constexpr unsigned kHypervisorLeaf = 0x40000000;
  unsigned a = 0, b = 0, c = 0, d = 0;
  __cpuid(kHypervisorLeaf, a, b, c, d);
  std::memcpy(signature.data(), &b, 4);
  std::memcpy(signature.data() + 4, &c, 4);
  std::memcpy(signature.data() + 8, &d, 4);
#endif
  return {signature.begin(), std::find(signature.begin(), signature.end(), '\0')};
}

std::string name_of_signature(const std::string& signature) {
  struct Known {
    std::string_view signature, name;
  };
  constexpr Known kKnown[] = {{"KVMKVMKVM", "KVM"},         {"TCGTCGTCGTCG", "QEMU (emulation)"},
                              {"Microsoft Hv", "Hyper-V"},  {"VMwareVMware", "VMware"},
                              {"XenVMMXenVMM", "Xen"},      {"VBoxVBoxVBox", "VirtualBox"},
                              {"bhyve bhyve ", "bhyve"},    {"ACRNACRNACRN", "ACRN"},
                              {" lrpepyh  vr", "Parallels"}};
  for (const Known& known : kKnown)
    if (signature == known.signature) return std::string(known.name);
  return "unknown";
}

std::string hypervisor_of(const std::string& root, std::string_view cpuinfo) {
  if (has_cpu_flag(cpuinfo, "hypervisor")) return name_of_signature(cpuid_signature());
  // A paravirtual Xen guest, and machines whose processors have no such flag.
  if (line_of(root + "/sys/hypervisor/type") == "xen" || exists(root + "/proc/xen/capabilities"))
    return "Xen";
  return line_of(root + "/proc/device-tree/hypervisor/compatible");
}

std::string model_of(const std::string& root) {
  const std::string vendor = line_of(root + "/sys/class/dmi/id/sys_vendor");
  const std::string product = line_of(root + "/sys/class/dmi/id/product_name");
  return std::string(trim(vendor + " " + product));
}

std::string container_of(const std::string& root) {
  std::string manager = line_of(root + "/run/systemd/container");
  if (!manager.empty()) return manager;
  if (exists(root + "/run/.containerenv")) return "podman";
  if (exists(root + "/.dockerenv")) return "docker";
  return {};
}

Trial try_kvm(const std::string& root) {
  const Result<Fd> device = sys::open((root + "/dev/kvm").c_str(), O_RDWR);
  if (!device) return {.error = device.error().code()};
  const int version = ::ioctl(device->get(), KVM_GET_API_VERSION, 0);
  if (version < 0) return {.error = errno};
  return {.error = version == KVM_API_VERSION ? 0 : EPROTO};
}

}  // namespace

bool has_cpu_flag(std::string_view cpuinfo, std::string_view flag) {
  for (const std::string_view line : split(cpuinfo, '\n')) {
    if (!line.starts_with("flags")) continue;
    const std::string_view list = line.substr(std::min(line.find(':') + 1, line.size()));
    const auto words = split(list, ' ');
    return std::find(words.begin(), words.end(), flag) != words.end();
  }
  return false;
}

MachineFacts probe_machine(const std::string& root) {
  MachineFacts facts;
  const Result<std::string> text = read_file(root + "/proc/cpuinfo", kMaxCpuinfo);
  const std::string_view cpuinfo = text ? std::string_view(*text) : std::string_view();
  for (const char* extension : {"vmx", "svm"})
    if (has_cpu_flag(cpuinfo, extension)) facts.cpu_extension = extension;
  facts.hypervisor = hypervisor_of(root, cpuinfo);
  facts.model = model_of(root);
  facts.container = container_of(root);
  facts.kvm = try_kvm(root);
  return facts;
}

}  // namespace jaula::plan
