// `jaula run`: one jail from its configuration to its end. Parent side.
#pragma once

#include "runtime/base/result.h"
#include "runtime/spec/jail_config.h"
#include "runtime/state_store.h"
#include "runtime/stdio.h"

namespace jaula {

struct RunOptions {
  StdioOptions stdio;
  bool remove_at_exit = false;  // --rm: of a detached jail; one in the foreground leaves nothing
  bool replace = false;         // --replace: end and delete a jail that has the name
  bool degrade = false;         // --degrade warn
  bool unit = false;            // --unit: we are the main process of a systemd service
};

// Runs a jail to its end, or, detached, until it runs. What it returns is what `jaula` exits with:
// the payload's code, 128+n, 124 for the time limit. Everything that is wrong with the plan is
// printed; the Error is then the last of it.
Result<int> run_jail(StateStore& store, const spec::JailConfig& config, const RunOptions& options);

}  // namespace jaula
