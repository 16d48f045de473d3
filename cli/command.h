// What the verbs share: the globals, and a command line read by CLI11 with errors that help.
// CLI11 itself is seen by command.cc alone: it takes a compiler longer than all the rest of a verb.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/state_store.h"

namespace CLI {  // NOLINT(readability-identifier-naming): as CLI11 calls it
class App;
}

namespace jaula::cli {

using Arguments = std::vector<std::string>;  // what follows the verb

struct Globals {
  std::string root;  // --root
};

struct Verb {
  const char* name;
  const char* summary;  // nullptr: not for people
  int (*main)(const Globals& globals, const Arguments& arguments);
};

int run_main(const Globals& globals, const Arguments& arguments);
int exec_main(const Globals& globals, const Arguments& arguments);
int stop_main(const Globals& globals, const Arguments& arguments);
int kill_main(const Globals& globals, const Arguments& arguments);
int ps_main(const Globals& globals, const Arguments& arguments);
int inspect_main(const Globals& globals, const Arguments& arguments);
int logs_main(const Globals& globals, const Arguments& arguments);
int events_main(const Globals& globals, const Arguments& arguments);
int wait_main(const Globals& globals, const Arguments& arguments);
int rm_main(const Globals& globals, const Arguments& arguments);
int check_main(const Globals& globals, const Arguments& arguments);
int plan_main(const Globals& globals, const Arguments& arguments);
int config_main(const Globals& globals, const Arguments& arguments);
int doctor_main(const Globals& globals, const Arguments& arguments);
int version_main(const Globals& globals, const Arguments& arguments);
int monitor_main(const Globals& globals, const Arguments& arguments);

StateStore store_of(const Globals& globals);

// A command line of one verb: options, each bound to a variable, then positionals in rest(). The
// names of an option are "-s,--signal"; they and the help are literals. docker's habits hold: -v
// may be given again, -it is -i -t, --flag=false.
class CommandLine {
 public:
  // `usage` follows the verb: "[OPTIONS] NAME"; `example` is printed at the end of --help.
  CommandLine(const std::string& verb, const std::string& usage, const std::string& summary,
              const std::string& example);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  void flag(const char* names, bool& value, const char* help);
  void flag(const char* names, std::function<void(bool)> take, const char* help);
  void option(const char* names, std::string& value, const char* help);
  void option(const char* names, std::vector<std::string>& values, const char* help);
  // Called for each value, in the order of the command line.
  void option(const char* names, std::function<void(const std::string&)> take, const char* help);
  void choice(const char* names, std::string& value, const std::vector<std::string>& words,
              const char* help);

  // Reads options up to the first positional; with `interspersed`, between positionals too. A value
  // is what to exit with at once: 0 after --help, 125 after a mistake that has been explained.
  std::optional<int> parse(const Arguments& arguments, bool interspersed);
  [[nodiscard]] const Arguments& rest() const noexcept { return rest_; }
  // Explains a mistake in the use of the verb. Returns what to exit with.
  [[nodiscard]] int misused(const std::string& text) const;

 private:
  struct Choice {
    std::string& value;
    std::vector<std::string> words;
  };
  struct Option {
    const char* names;
    const char* help;
    std::variant<bool*, std::function<void(bool)>, std::string*, std::vector<std::string>*,
                 std::function<void(const std::string&)>, Choice>
        target;
    bool added = false;  // to CLI11
  };
  // CLI11 compares each new option with all before it: the forty of `run` cost as much as a third
  // of a jail's start. So it gets those that some word may mean; all of them without words.
  void add_options(const Arguments* words);
  void add(const Option& option);
  [[nodiscard]] int unknown_option(const std::string& option);

  std::string verb_;
  std::vector<Option> options_;
  std::unique_ptr<CLI::App> app_;
  Arguments rest_;
};

// Prints an error; what to exit with.
int failed(const Error& error);

// Does `act` for each name, going on after a failure. What to exit with.
int for_each_name(const Arguments& names,
                  const std::function<Result<void>(const std::string&)>& act, bool print_name);

}  // namespace jaula::cli
