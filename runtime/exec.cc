#include "runtime/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/denials.h"
#include "runtime/launch.h"
#include "runtime/monitor.h"
#include "runtime/own_file.h"
#include "runtime/plan/lower.h"
#include "runtime/plan/users.h"
#include "runtime/stop.h"

namespace jaula {
namespace {

Error is_ending(const std::string& name) { return Error(0, "the jail ", name, " is ending"); }

// The process whose namespaces are joined. PID 1 of ours cannot be looked at by an unprivileged
// user, for it is not dumpable; its first child, the payload, lives in the same namespaces.
Result<Fd> process_to_join(const JailState& state) {
  const std::string& name = state.name;
  auto init = TRY(open_process(state.init));
  if (!init) return is_ending(name);
  if (!state.config.extra.init) return std::move(*init);
  const auto payload = [&]() -> Result<int> {
    const std::string task = std::to_string(state.init.pid);
    const std::string children = TRY(read_file("/proc/" + task + "/task/" + task + "/children"));
    const auto first = parse_decimal(split(children, ' ')[0], INT32_MAX);
    if (!first) return is_ending(name);
    return static_cast<int>(*first);
  };
  const int pid = TRY(payload());
  Fd process = TRY(sys::pidfd_open(pid));
  // A pid may have been given anew before it was opened; what is still a child of PID 1, which
  // lives, has been it all along.
  const int still = TRY(payload());
  if (still != pid || !TRY(open_process(state.init))) return is_ending(name);
  return process;
}

Result<int> number_of(const Fd& process) {
  const std::string info = TRY(read_file("/proc/self/fdinfo/" + std::to_string(process.get())));
  for (const std::string_view line : split(info, '\n'))
    if (line.starts_with("Pid:"))
      if (const auto number = parse_decimal(trim(line.substr(4)), INT32_MAX))
        return static_cast<int>(*number);
  return Error(ESRCH, "find the jail's process");
}

Result<plan::UserDatabase> users_of(const Fd& process) {
  // /proc/PID/root is the jail's root as the kernel holds it; files below are opened inside it.
  const int number = TRY(number_of(process));
  return plan::load_users("/proc/" + std::to_string(number) + "/root");
}

// A cookie is taken over from a process that has it.
Result<void> share_core(isolation::CoreScheduling& scheduling, const Fd& process) {
  using Kind = isolation::CoreScheduling::Kind;
  if (scheduling.kind == Kind::kNone) return {};
  scheduling.kind = Kind::kShare;
  scheduling.from = TRY(number_of(process));
  return {};
}

void set_variables(std::vector<std::string>& env, const std::vector<std::string>& added) {
  for (const std::string& variable : added) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(env, [&](const std::string& other) { return other.starts_with(name); });
    env.push_back(variable);
  }
}

Result<spec::JailConfig> config_for(const JailState& state, const ExecOptions& options,
                                    const Fd& process) {
  spec::JailConfig config = state.config;
  config.process.args = options.arguments;
  config.process.terminal = options.stdio.terminal;
  config.extra.command_origin.clear();
  config.extra.directory_origin.clear();
  if (options.directory) config.process.cwd = *options.directory;
  if (options.user) {
    const plan::UserDatabase users = TRY(users_of(process));
    const spec::User user = TRY(plan::find_user(users, *options.user));
    plan::set_user(config, user, users);
  }
  // After the user, whose home is only a default.
  set_variables(config.process.env, options.environment);
  return config;
}

// All that the jail does not share with the host, whether it is its own or another's.
int namespaces_of(const plan::LaunchPlan& plan) {
  return static_cast<int>(plan.namespaces | plan.joined) |
         (plan.cgroup_namespace ? CLONE_NEWCGROUP : 0) | (plan.time.own ? CLONE_NEWTIME : 0);
}

}  // namespace

Result<int> exec_in_jail(const StateStore& store, const std::string& name,
                         const ExecOptions& options) {
  const Seen seen = TRY(look_at(store, name));
  if (seen.unreadable) return *seen.unreadable;
  if (!seen.running || !seen.state)
    return Error(0, "the jail ", name, " is not running").hint("`jaula ps -a` shows how it ended");
  TRY(protect_own_file(seen.state->config));
  JoinTarget target{.fd = TRY(process_to_join(*seen.state)), .kinds = 0, .origin = {}};
  const spec::JailConfig config = TRY(config_for(*seen.state, options, target.fd));
  plan::Planned planned = plan::make_exec_plan(
      config, plan::probe_for(config),
      {.id_base = seen.state->id_base, .terminal_size = terminal_size_of_caller()});
  if (!planned.problems.empty()) return planned.problems.front();
  target.kinds = namespaces_of(planned.plan);

  TRY(share_core(planned.plan.core_scheduling, target.fd));

  cgroups::Cgroup cgroup;
  if (!seen.state->cgroup.empty()) cgroup = TRY(cgroups::Cgroup::open(seen.state->cgroup));
  Stdio stdio = TRY(Stdio::make(options.stdio, nullptr));
  const Fd signals = TRY(block_signals());
  Result<Launched> launched =
      launch_exec(planned.plan, cgroup ? cgroup.fd() : -1, target, stdio.child_ends());
  if (!launched) return explained(launched.error());
  Launched process = TRY(std::move(launched));
  planned.plan.ids = {};        // they are the jail's
  planned.plan.oom_score = {};  // it has been set by itself, before it joined
  TRY(process.admit(planned.plan));
  TRY(process.confirm(seen.directory.fd()));
  TRY(stdio.started(process.terminal()));
  DenialRecorder denials(process.listener().get(), seen.directory.fd());
  return TRY(watch(process, stdio, signals, Watch{.denials = &denials})).code;
}

}  // namespace jaula
