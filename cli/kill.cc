#include <csignal>

#include "cli/command.h"
#include "runtime/spec/units.h"
#include "runtime/stop.h"

namespace jaula::cli {

int kill_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("kill", "[OPTIONS] NAME...",
                   "Send a signal to the payload of jails. SIGKILL ends the whole jail.",
                   "jaula kill -s HUP web");
  std::string text = "KILL";
  bool all = false;
  line.option("-s,--signal", text, "signal, by name or number (KILL)");
  line.flag("--all", all, "send it to every process of the jail");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().empty()) return line.misused("it takes the name of a jail");
  const std::optional<int> signal = spec::parse_signal(text);
  if (!signal) return line.misused("--signal takes a signal such as TERM, got " + text);
  const StateStore store = store_of(globals);
  return for_each_name(
      line.rest(), [&](const std::string& name) { return signal_jail(store, name, *signal, all); },
      true);
}

}  // namespace jaula::cli
