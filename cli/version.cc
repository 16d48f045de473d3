#include "cli/command.h"
#include "runtime/base/sys.h"

namespace jaula::cli {

int version_main(const Globals&, const Arguments&) {
  const Result<void> written =
      sys::write_all(1, "jaula " JAULA_VERSION "\n", "standard output");
  return written ? 0 : static_cast<int>(ExitCode::kFailure);
}

}  // namespace jaula::cli
