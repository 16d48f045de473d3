#include "cli/command.h"
#include "cli/target.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/id_ranges.h"
#include "runtime/plan/capabilities.h"
#include "runtime/plan/launch_plan.h"
#include "runtime/plan/seccomp.h"

namespace jaula::cli {

int plan_main(const Globals&, const Arguments& arguments) {
  CommandLine line("plan", "[OPTIONS] TARGET [COMMAND...]",
                   "Print what `run` would do, one fact a line. Nothing is started.",
                   "jaula plan examples/hello.yaml");
  TargetOptions target;
  plan::PlanOptions options;
  bool verbose = false;
  bool rules = false;
  bool bpf = false;
  target.add_to(line);
  target.add_name_to(line);
  line.flag("--all", verbose, "with every mount of the machine's userland");
  line.flag("--syscalls", rules, "of the system call filter alone: what each call gets");
  line.flag("--bpf", bpf, "of the system call filter alone: its instructions");
  if (const auto code = line.parse(arguments, false)) return *code;
  if (line.rest().empty()) return line.misused("it takes a spec file, a root directory or host");
  const Result<spec::JailConfig> config = target.resolve(line.rest());
  if (!config) return failed(config.error());
  options.id_base = preferred_id_base(config->name);
  if (config->extra.root_kind == spec::RootKind::kHost) options.userland = plan::probe_userland();
  const plan::Planned planned = plan::make_plan(*config, plan::probe_for(*config), options);
  for (const Error& problem : planned.problems) log::error(problem);
  for (const std::string& warning : planned.plan.degraded) log::line(log::Level::kWarning, warning);
  std::string text;
  const bool limits_tcp = planned.plan.landlock.tcp != 0;
  if (rules || bpf)
    text = plan::describe_seccomp(
               *config, plan::capability_mask(config->process.capabilities.bounding), limits_tcp) +
           "\n";
  if (rules) text += plan::print_rules(*config, limits_tcp);
  if (bpf) text += plan::print_bpf(*config, limits_tcp);
  if (text.empty()) text = plan::print(planned.plan, *config, verbose);
  const Result<void> written = sys::write_all(1, text, "standard output");
  if (!written) return failed(written.error());
  return planned.problems.empty() ? 0 : static_cast<int>(ExitCode::kFailure);
}

}  // namespace jaula::cli
