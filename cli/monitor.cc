#include "cli/command.h"
#include "runtime/running.h"

namespace jaula::cli {

int monitor_main(const Globals&, const Arguments& arguments) {
  const Result<void> done = resume_monitor(arguments);
  return done ? 0 : failed(done.error());
}

}  // namespace jaula::cli
