#include "cli/command.h"
#include "cli/target.h"
#include "runtime/base/sys.h"

namespace jaula::cli {

int config_main(const Globals&, const Arguments& arguments) {
  CommandLine line("config", "[OPTIONS] SPEC",
                   "Print a spec with everything resolved: variables, merges, overrides. Reading "
                   "it back gives the same.",
                   "jaula config --set mem_limit=64m web.yaml");
  TargetOptions target;
  target.add_to(line);
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().size() != 1) return line.misused("it takes one spec file");
  const spec::SpecFile file = spec::load_spec(line.rest()[0], target.load_options());
  if (!report(file.problems)) return 1;
  const Result<void> written = sys::write_all(1, spec::to_yaml(file), "standard output");
  return written ? 0 : failed(written.error());
}

}  // namespace jaula::cli
