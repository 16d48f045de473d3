#include <errno.h>

#include <algorithm>
#include <chrono>

#include "cli/command.h"
#include "runtime/base/sys.h"
#include "runtime/spec/units.h"
#include "runtime/stop.h"

namespace jaula::cli {
namespace {

using std::chrono::steady_clock;

Error has_not_ended(const std::string& name) {
  return Error(0, "the jail ", name, " has not ended").exits(ExitCode::kTimeLimit);
}

Result<void> wait_for(const StateStore& store, const std::string& name,
                      std::optional<steady_clock::time_point> deadline) {
  JailDirectory directory = TRY(store.open(name));
  {
    // Whoever is starting it holds the lock until it runs.
    JailDirectory starting = TRY(store.open(name));
    const Result<void> started = starting.lock(deadline.value_or(steady_clock::time_point::max()));
    if (!started && started.error().code() == EBUSY) return has_not_ended(name);
    TRY(started);
  }
  const JailState state = TRY(directory.load());
  std::optional<std::chrono::milliseconds> timeout;
  if (deadline)
    timeout = std::chrono::ceil<std::chrono::milliseconds>(
        std::max(*deadline - steady_clock::now(), steady_clock::duration::zero()));
  Result<Exit> exit = wait_for_exit(directory, state, timeout);
  if (!exit && exit.error().code() == ETIMEDOUT) return has_not_ended(name);
  if (!exit) return exit.error();
  return sys::write_all(1, std::to_string(exit->code) + "\n", "standard output");
}

}  // namespace

int wait_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("wait", "[OPTIONS] NAME...",
                   "Wait until jails end, and print the exit code of each.",
                   "jaula wait --timeout 1m batch");
  std::string text;
  line.option("--timeout", text, "give up after this time, with exit code 124");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().empty()) return line.misused("it takes the name of a jail");
  std::optional<steady_clock::time_point> deadline;  // for all of them
  if (!text.empty()) {
    const auto timeout = spec::parse_duration(text);
    if (!timeout) return line.misused("--timeout takes a time such as 30s, got " + text);
    deadline = steady_clock::now() + *timeout;
  }
  const StateStore store = store_of(globals);
  return for_each_name(
      line.rest(), [&](const std::string& name) { return wait_for(store, name, deadline); }, false);
}

}  // namespace jaula::cli
