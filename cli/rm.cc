#include "cli/command.h"
#include "runtime/stop.h"

namespace jaula::cli {

int rm_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("rm", "[OPTIONS] NAME...",
                   "Delete the record and the log of jails that have ended.", "jaula rm -f web");
  bool force = false;
  line.flag("-f,--force", force,
            "end a running jail first; clear a half-made one; a missing one is fine");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().empty()) return line.misused("it takes the name of a jail");
  const StateStore store = store_of(globals);
  const auto remove = [&](const std::string& name) {
    Result<void> removed = remove_jail(store, name, force);
    if (!removed && force && removed.error().code() == ENOENT) return Result<void>();
    return removed;
  };
  return for_each_name(line.rest(), remove, true);
}

}  // namespace jaula::cli
