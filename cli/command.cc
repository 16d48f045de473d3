#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula::cli {

namespace {

constexpr int kFailure = static_cast<int>(ExitCode::kFailure);

// CLI11 knows nothing of positionals that it does not read itself.
class Formatter : public CLI::Formatter {
 public:
  explicit Formatter(std::string usage) : usage_(std::move(usage)) {}
  std::string make_usage(const CLI::App*, std::string) const override { return usage_; }

 private:
  std::string usage_;
};

// Whether a word may mean an option of these names.
bool may_mean(std::string_view word, std::string_view names) {
  if (!word.starts_with('-')) return false;
  for (std::string_view rest = names; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    // -it is -i -t.
    if (name[1] == '-' ? word.starts_with(name)
                       : !word.starts_with("--") && word.find(name[1]) != word.npos)
      return true;
  }
  return false;
}

}  // namespace

StateStore store_of(const Globals& globals) { return StateStore(roots_for(globals.root)); }

CommandLine::CommandLine(const std::string& verb, const std::string& usage,
                         const std::string& summary, const std::string& example)
    : verb_(verb), app_(std::make_unique<CLI::App>(summary, "jaula " + verb)) {
  app_->set_help_flag("--help", "print this help");
  app_->formatter(std::make_shared<Formatter>("\nUsage: jaula " + verb + " " + usage + "\n"));
  app_->footer("Example:\n  " + example);
  options_.reserve(48);  // `run` has most
}

CommandLine::~CommandLine() = default;

void CommandLine::flag(const char* names, bool& value, const char* help) {
  options_.push_back({.names = names, .help = help, .target = &value});
}

void CommandLine::flag(const char* names, std::function<void(bool)> take, const char* help) {
  options_.push_back({.names = names, .help = help, .target = std::move(take)});
}

void CommandLine::option(const char* names, std::string& value, const char* help) {
  options_.push_back({.names = names, .help = help, .target = &value});
}

void CommandLine::option(const char* names, std::vector<std::string>& values, const char* help) {
  options_.push_back({.names = names, .help = help, .target = &values});
}

void CommandLine::option(const char* names, std::function<void(const std::string&)> take,
                         const char* help) {
  options_.push_back({.names = names, .help = help, .target = std::move(take)});
}

void CommandLine::choice(const char* names, std::string& value,
                         const std::vector<std::string>& words, const char* help) {
  options_.push_back({.names = names, .help = help, .target = Choice{value, words}});
}

void CommandLine::add(const Option& option) {
  CLI::App& app = *app_;
  const auto& [names, help, target, added] = option;
  if (const auto* on = std::get_if<bool*>(&target)) {
    app.add_flag(names, **on, help);
  } else if (const auto* take_flag = std::get_if<std::function<void(bool)>>(&target)) {
    app.add_flag_function(
        names, [take = *take_flag](std::int64_t count) { take(count > 0); }, help);
  } else if (const auto* value = std::get_if<std::string*>(&target)) {
    app.add_option(names, **value, help)->type_name("");
  } else if (const auto* values = std::get_if<std::vector<std::string>*>(&target)) {
    app.add_option(names, **values, help)->allow_extra_args(false)->type_name("");
  } else if (const auto* choice = std::get_if<Choice>(&target)) {
    app.add_option(names, choice->value, help)->check(CLI::IsMember(choice->words))->type_name("");
  } else {
    const auto take = std::get<std::function<void(const std::string&)>>(target);
    const auto take_all = [take](const std::vector<std::string>& words) {
      for (const std::string& word : words) take(word);
    };
    app.add_option_function<std::vector<std::string>>(names, take_all, help)
        ->allow_extra_args(false)
        ->type_name("");
  }
}

void CommandLine::add_options(const Arguments* words) {
  for (Option& option : options_) {
    const auto meant = [&](const std::string& word) { return may_mean(word, option.names); };
    if (option.added || (words != nullptr && std::ranges::none_of(*words, meant))) continue;
    add(option);
    option.added = true;
  }
}

int CommandLine::misused(const std::string& text) const {
  log::error(Error(0, verb_, ": ", text).hint("see `jaula ", verb_, " --help`"));
  return kFailure;
}

int CommandLine::unknown_option(const std::string& option) {
  add_options(nullptr);
  const std::string name = option.substr(0, option.find('='));
  std::vector<std::string> known;
  for (const CLI::Option* other : app_->get_options()) {
    for (const std::string& word : other->get_lnames()) known.push_back("--" + word);
    for (const std::string& word : other->get_snames()) known.push_back("-" + word);
  }
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const std::string_view near = name.size() > 2 ? nearest(name, candidates) : "";
  Error error(0, verb_, ": unknown option ", escaped(name));
  near.empty() ? error.hint("see `jaula ", verb_, " --help`")
               : error.hint("did you mean ", near, "?");
  log::error(error);
  return kFailure;
}

std::optional<int> CommandLine::parse(const Arguments& arguments, bool interspersed) {
  // CLI11 stops at the first word it does not know: a positional, or a wrong option. It takes the
  // words from the back.
  app_->prefix_command();
  add_options(&arguments);
  Arguments words = arguments;
  try {
    for (;;) {
      app_->parse(Arguments(words.rbegin(), words.rend()));
      words = app_->remaining(true);
      if (!words.empty() && words[0] == "--") {
        rest_.insert(rest_.end(), words.begin() + 1, words.end());
        return std::nullopt;
      }
      if (!words.empty() && words[0].size() > 1 && words[0][0] == '-')
        return unknown_option(words[0]);
      if (!interspersed || words.empty()) break;
      rest_.push_back(words[0]);
      words.erase(words.begin());
    }
  } catch (const CLI::CallForHelp&) {
    add_options(nullptr);
    const std::string help = app_->help();
    const Result<void> written = sys::write_all(1, help, "standard output");
    return written ? 0 : kFailure;
  } catch (const CLI::ParseError& error) {
    return misused(error.what());
  }
  rest_.insert(rest_.end(), words.begin(), words.end());
  return std::nullopt;
}

int failed(const Error& error) {
  log::error(error);
  return static_cast<int>(error.exit_code());
}

int for_each_name(const Arguments& names,
                  const std::function<Result<void>(const std::string&)>& act, bool print_name) {
  int code = 0;
  for (const std::string& name : names) {
    Result<void> acted = act(name);
    if (acted && print_name) acted = sys::write_all(1, name + "\n", "standard output");
    if (!acted) code = failed(acted.error());
  }
  return code;
}

}  // namespace jaula::cli
