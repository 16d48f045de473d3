#include "runtime/stop.h"

#include "cli/command.h"
#include "runtime/spec/units.h"

namespace jaula::cli {

int stop_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("stop", "[OPTIONS] NAME...",
                   "End jails: the stop signal, the grace period, then the whole tree is killed. "
                   "Nothing of them is left.",
                   "jaula stop --time 30s web");
  StopOptions options;
  std::string time;
  line.option("-t,--time,--timeout", time, "grace period, such as 30s (the spec's, or 10s)");
  line.flag("--keep", options.keep, "keep the record and the log until `rm`");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().empty()) return line.misused("it takes the name of a jail");
  if (!time.empty()) {
    options.grace = spec::parse_duration(time);
    if (!options.grace) return line.misused("--time takes a time such as 30s, got " + time);
  }
  const StateStore store = store_of(globals);
  return for_each_name(
      line.rest(), [&](const std::string& name) { return stop_jail(store, name, options); }, true);
}

}  // namespace jaula::cli
