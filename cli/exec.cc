#include "runtime/exec.h"

#include "cli/command.h"

namespace jaula::cli {

int exec_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("exec", "[OPTIONS] NAME COMMAND...",
                   "Run a command in a running jail, with the jail's identity, filter, "
                   "capabilities and limits.",
                   "jaula exec -it web sh");
  ExecOptions options;
  std::string user, directory;
  std::vector<std::string> variables;
  line.flag("-i,--interactive", options.stdio.interactive, "pass standard input on");
  line.flag("-t,--tty", options.stdio.terminal, "give the command a terminal");
  line.option("-u,--user", user, "run as NAME|UID[:GROUP|GID]");
  line.option("-w,--workdir", directory, "working directory in the jail");
  line.option("-e,--env", variables, "set a variable: NAME=VALUE");
  if (const auto code = line.parse(arguments, false)) return *code;
  if (line.rest().size() < 2) return line.misused("it takes the name of a jail and a command");
  for (const std::string& variable : variables) {
    if (variable.empty() || variable[0] == '=')
      return line.misused("--env takes NAME=VALUE, got \"" + variable + "\"");
    if (variable.find('=') != std::string::npos) {
      options.environment.push_back(variable);
      continue;
    }
    // As docker: NAME alone passes ours on, if we have it.
    const char* value = std::getenv(variable.c_str());
    if (value != nullptr) options.environment.push_back(variable + "=" + value);
  }
  if (!user.empty() && !spec::is_user(user))
    return line.misused("--user takes NAME|UID[:GROUP|GID], got \"" + user + "\"");
  if (!directory.empty() && directory[0] != '/')
    return line.misused("--workdir takes an absolute path in the jail, got \"" + directory + "\"");
  if (!user.empty()) options.user = user;
  if (!directory.empty()) options.directory = directory;
  options.arguments.assign(line.rest().begin() + 1, line.rest().end());
  const Result<int> code = exec_in_jail(store_of(globals), line.rest()[0], options);
  return code ? *code : failed(code.error());
}

}  // namespace jaula::cli
