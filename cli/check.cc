#include "cli/command.h"
#include "cli/target.h"

namespace jaula::cli {

int check_main(const Globals&, const Arguments& arguments) {
  CommandLine line("check", "[OPTIONS] SPEC...",
                   "Check spec files (- for standard input) and print every problem. Exits with 0 "
                   "or 1.",
                   "jaula check web.yaml");
  bool strict = false;
  line.flag("--strict", strict, "warnings are problems too");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().empty()) return line.misused("it takes a spec file");
  bool fine = true;
  for (const std::string& path : line.rest()) {
    const spec::SpecFile file = spec::load_spec(path, {});
    fine = report(file.problems) && fine && !(strict && !file.problems.empty());
  }
  return fine ? 0 : 1;
}

}  // namespace jaula::cli
