// The command line of jaula: globals, then one verb, each in a file of its own.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>

#include "cli/command.h"
#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula::cli {
namespace {

constexpr Verb kVerbs[] = {
    {"run", "start a jail", run_main},
    {"exec", "run a command in a running jail", exec_main},
    {"stop", "end jails and delete their records", stop_main},
    {"kill", "send a signal to jails", kill_main},
    {"ps", "list jails", ps_main},
    {"inspect", "print everything known of jails", inspect_main},
    {"logs", "print what a detached jail wrote", logs_main},
    {"events", "print what happened to jails: starts, denied system calls, ends", events_main},
    {"wait", "wait until jails end and print their exit codes", wait_main},
    {"rm", "delete what is left of jails that have ended", rm_main},
    {"check", "check spec files", check_main},
    {"plan", "print what would be done to start a jail", plan_main},
    {"config", "print a spec with everything resolved", config_main},
    {"doctor", "say what this host can and cannot do for jails", doctor_main},
    {"version", "print the version", version_main},
    {"monitor", nullptr, monitor_main},  // what `run -d` leaves behind executes it
};

const Verb* find_verb(std::string_view name) {
  if (name == "ls") name = "ps";
  for (const Verb& verb : kVerbs)
    if (name == verb.name) return &verb;
  return nullptr;
}

int print_help() {
  std::string text =
      "Usage: jaula [--root DIR] [--log-level LEVEL] VERB [OPTIONS] [ARGUMENTS]\n\n"
      "Builds jails of isolated processes from YAML specs. No daemon.\n\nVerbs:\n";
  for (const Verb& verb : kVerbs) {
    if (verb.summary == nullptr) continue;
    text += "  ";
    text += verb.name;
    text.append(10 - std::string_view(verb.name).size(), ' ');
    text += verb.summary;
    text += '\n';
  }
  text +=
      "\nOptions:\n"
      "  --root DIR          keep state below DIR/run and DIR/data\n"
      "  --log-level LEVEL   debug, info, warning (the default) or error\n"
      "  --version           print the version\n"
      "  --help              print this help; `jaula VERB --help` that of a verb\n\n"
      "Example:\n  jaula run -d --name web examples/hello.yaml\n";
  const Result<void> written = sys::write_all(1, text, "standard output");
  return written ? 0 : static_cast<int>(ExitCode::kFailure);
}

int unknown(std::string_view what, const std::string& word,
            const std::vector<std::string_view>& candidates) {
  const std::string_view near = nearest(word, candidates);
  Error error(0, "unknown ", what, " ", escaped(word));
  near.empty() ? error.hint("see `jaula --help`") : error.hint("did you mean ", near, "?");
  return failed(error);
}

int unknown_option(const std::string& word) {
  const std::vector<std::string_view> options = {"--root", "--log-level", "--version", "--help"};
  for (const std::string_view option : options)
    if (word == option) return failed(Error(0, word, " takes a value"));
  return unknown("option", word.substr(0, word.find('=')), options);
}

int unknown_verb(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Verb& verb : kVerbs)
    if (verb.summary != nullptr) names.emplace_back(verb.name);
  return unknown("verb", word, names);
}

std::optional<log::Level> level_of(std::string_view name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "info") return log::Level::kInfo;
  if (name == "warning" || name == "warn") return log::Level::kWarning;
  if (name == "error") return log::Level::kError;
  return std::nullopt;
}

// A descriptor of ours that takes the number of a closed 0, 1 or 2 would be handed to the payload
// as its standard input or output: a way out of the jail if it is a directory. CVE-2024-21626
bool standard_descriptors_are_open() {
  pollfd standard[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  if (::poll(standard, 3, 0) < 0) return false;
  for (const pollfd& one : standard) {
    if ((one.revents & POLLNVAL) == 0) continue;
    if (::open("/dev/null", O_RDWR) != one.fd) return false;  // NOLINT(android-cloexec-open)
  }
  return true;
}

// The globals are two: read by hand, so that no parser is built twice for a start.
int main(Arguments words) {
  Globals globals;
  std::size_t at = 0;
  const auto value_of = [&](std::string_view option) -> std::optional<std::string> {
    if (words[at].starts_with(std::string(option) + "="))
      return words[at].substr(option.size() + 1);
    if (words[at] == option && at + 1 < words.size()) return words[++at];
    return std::nullopt;
  };
  for (; at < words.size() && words[at].starts_with('-'); ++at) {
    if (words[at] == "--help" || words[at] == "-h") return print_help();
    if (words[at] == "--version" || words[at] == "-v") return version_main(globals, {});
    if (const auto root = value_of("--root")) {
      globals.root = *root;
    } else if (const auto name = value_of("--log-level")) {
      const auto level = level_of(*name);
      if (!level)
        return failed(Error(0, "--log-level ", *name,
                            " is none of debug, info, "
                            "warning, error"));
      log::set_level(*level);
    } else {
      return unknown_option(words[at]);
    }
  }
  if (at == words.size()) return print_help();
  if (words[at] == "help") return print_help();
  const Verb* verb = find_verb(words[at]);
  if (verb == nullptr) return unknown_verb(words[at]);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  return verb->main(globals, words);
}

}  // namespace
}  // namespace jaula::cli

int main(int argc, char** argv) {
  if (!jaula::cli::standard_descriptors_are_open())
    return static_cast<int>(jaula::ExitCode::kFailure);  // and nowhere to say so
  ::umask(0022);  // what is made on the host has the modes that are asked for, whoever calls
  ::signal(SIGCHLD, SIG_DFL);  // ignored, it lets children end without a status. waitid(2)
  try {
    return jaula::cli::main({argv + 1, argv + argc});
  } catch (const std::exception& error) {  // bad_alloc, and what a library did not say it throws
    jaula::log::error(jaula::Error(0, "internal error: ", error.what()));
    return static_cast<int>(jaula::ExitCode::kFailure);
  }
}
