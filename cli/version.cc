#include "cli/command.h"
#include "runtime/base/sys.h"

namespace jaula::cli {

int version_main(const Globals&, const Arguments& arguments) {
  if (!arguments.empty()) {
    CommandLine line("version", "", "Print the version of jaula.", "jaula version");
    if (const auto code = line.parse(arguments, true)) return *code;
    if (!line.rest().empty()) return line.misused("it takes no arguments");
  }
  const Result<void> written = sys::write_all(1, "jaula " JAULA_VERSION "\n", "standard output");
  return written ? 0 : static_cast<int>(ExitCode::kFailure);
}

}  // namespace jaula::cli
