#include "runtime/run.h"

#include <unistd.h>

#include "cli/command.h"
#include "cli/target.h"
#include "runtime/base/sys.h"
#include "runtime/base/timing.h"
#include "runtime/own_file.h"

namespace jaula::cli {

int run_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("run", "[OPTIONS] TARGET [COMMAND...]",
                   "Start a jail. TARGET is a spec file (*.yaml, or - for standard input), a root "
                   "directory, or the word host.",
                   "jaula run -d --name web -m 64m examples/hello.yaml");
  TargetOptions target;
  RunOptions options;
  std::string degrade = "error";
  bool timed = false;
  line.flag("-d,--detach", options.stdio.detached, "run in the background and print the name");
  line.flag("-i,--interactive", options.stdio.interactive, "pass standard input on");
  line.flag("-t,--tty", options.stdio.terminal, "give the payload a terminal");
  line.flag("--rm", options.remove_at_exit, "delete the record of a detached jail at its end");
  line.flag("--replace", options.replace, "end and delete a jail that has the name");
  line.flag("--unit", options.unit, "be the main process of a systemd service");
  line.choice("--degrade", degrade, {"error", "warn"},
              "what this host cannot enforce: error, or warn and go on");
  line.flag("--timing", timed, "print what the start spends its time on");
  target.add_to(line);
  target.add_name_to(line);
  if (const auto code = line.parse(arguments, false)) return *code;
  if (line.rest().empty()) return line.misused("it takes a spec file, a root directory or host");
  if (options.unit && options.stdio.detached)
    return line.misused("--unit stays in the foreground: leave -d out");
  if (options.unit && timed)
    return line.misused(
        "--unit may end by the payload's signal, and then tell nothing: leave --timing out");
  if (options.stdio.interactive && options.stdio.detached && !options.stdio.terminal)
    return line.misused("with -d there is no standard input that -i could pass on");
  options.degrade = degrade == "warn";
  if (timed) timing::begin();

  // Once it is read there is no second time. Where it fails, and the jail needs it, it is tried
  // again.
  if (line.rest()[0] == "-") {
    [[maybe_unused]] const Result<void> tried = protect_own_file();
  }
  Result<spec::JailConfig> config = target.resolve(line.rest());
  if (!config) return failed(config.error());
  timing::note("spec");
  config->process.terminal = options.stdio.terminal;
  StateStore store = store_of(globals);
  const Result<int> code = run_jail(store, *config, options);
  if (timed) {
    [[maybe_unused]] const Result<void> written =
        sys::write_all(STDERR_FILENO, timing::text(), "standard error");
  }
  return code ? *code : failed(code.error());
}

}  // namespace jaula::cli
