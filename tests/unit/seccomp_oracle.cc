#include "tests/unit/seccomp_oracle.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

namespace jaula::test {
namespace {

using spec::SeccompAction;
using spec::SeccompOperator;

std::uint32_t action_of(SeccompAction action, const std::optional<std::uint32_t>& number) {
  switch (action) {
    case SeccompAction::kKillThread:
      return SCMP_ACT_KILL_THREAD;
    case SeccompAction::kKillProcess:
      return SCMP_ACT_KILL_PROCESS;
    case SeccompAction::kTrap:
      return SCMP_ACT_TRAP;
    case SeccompAction::kErrno:
      return SCMP_ACT_ERRNO(number.value_or(EPERM));
    case SeccompAction::kLog:
      return SCMP_ACT_LOG;
    case SeccompAction::kAllow:
      return SCMP_ACT_ALLOW;
  }
  return SCMP_ACT_ALLOW;
}

scmp_compare operator_of(SeccompOperator op) {
  constexpr scmp_compare kOperators[] = {SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,       SCMP_CMP_EQ,
                                         SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};
  return kOperators[static_cast<std::size_t>(op)];
}

bool add_rules(scmp_filter_ctx context, const spec::SeccompConfig& config) {
  const std::uint32_t standard = action_of(config.default_action, config.default_errno_ret);
  for (const spec::SeccompRule& rule : config.syscalls) {
    const std::uint32_t action = action_of(rule.action, rule.errno_ret);
    if (action == standard) continue;  // libseccomp refuses it; runc passes over it, too
    std::vector<scmp_arg_cmp> conditions;
    for (const spec::SeccompArgument& argument : rule.args)
      conditions.push_back(
          {argument.index, operator_of(argument.op), argument.value, argument.value_two});
    for (const std::string& name : rule.names) {
      const int number = ::seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name.c_str());
      if (number < 0) continue;
      const int added = ::seccomp_rule_add_array(
          context, action, number, static_cast<unsigned>(conditions.size()), conditions.data());
      if (added < 0 && added != -EEXIST) return false;
    }
  }
  return true;
}

}  // namespace

Filter compile_with_libseccomp(const spec::SeccompConfig& config) {
  Filter filter;
  scmp_filter_ctx context =
      ::seccomp_init(action_of(config.default_action, config.default_errno_ret));
  const int file = ::memfd_create("filter", MFD_CLOEXEC);
  if (context != nullptr && add_rules(context, config) &&
      ::seccomp_export_bpf(context, file) == 0) {
    filter.resize(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)) / sizeof(sock_filter));
    const std::size_t size = filter.size() * sizeof(sock_filter);
    if (::pread(file, filter.data(), size, 0) != static_cast<ssize_t>(size)) filter.clear();
  }
  ::close(file);
  ::seccomp_release(context);
  return filter;
}

}  // namespace jaula::test
