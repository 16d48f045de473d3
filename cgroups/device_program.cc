#include "cgroups/device_program.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jaula::cgroups {
namespace {

long call_bpf(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

std::uint64_t pointer(const void* address) { return reinterpret_cast<std::uint64_t>(address); }

Result<Fd> load(std::span<const bpf_insn> program) {
  bpf_attr attributes;
  ::memset(&attributes, 0, sizeof attributes);  // of every member of the union, as bpf(2) wants
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = pointer(program.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.license = pointer("");
  const long fd = call_bpf(BPF_PROG_LOAD, attributes);
  if (fd < 0) return Error(errno, "load the program for devices");
  return Fd(static_cast<int>(fd));
}

}  // namespace

Result<void> try_load(std::span<const bpf_insn> program) {
  const Fd loaded = TRY(load(program));
  return {};
}

Result<void> attach(const Cgroup& cgroup, std::span<const bpf_insn> program) {
  if (program.empty()) return {};
  Result<void> attached = [&]() -> Result<void> {
    const Fd loaded = TRY(load(program));
    bpf_attr attributes;
    ::memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = static_cast<std::uint32_t>(cgroup.fd());
    attributes.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (call_bpf(BPF_PROG_ATTACH, attributes) < 0)
      return Error(errno, "attach the program for devices");
    return {};
  }();
  if (attached) return {};
  Error& error = attached.error();
  if (error.code() == EPERM)
    error.hint("it takes CAP_BPF and CAP_NET_ADMIN, and no program above that forbids another");
  if (error.code() == ENOSYS || error.code() == EINVAL)
    error.hint("it takes a kernel with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF");
  return error.in("cgroup ", cgroup.path(), ": ");
}

}  // namespace jaula::cgroups
