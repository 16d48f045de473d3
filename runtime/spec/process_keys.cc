// Keys about the process of a service: what runs, as whom, with what environment, and how it ends.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "runtime/base/text.h"
#include "runtime/spec/service_keys.h"
#include "runtime/spec/shell_words.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

constexpr std::size_t kMaxName = 255;  // of a variable, a label

bool is_graphic(char c) { return c > ' ' && c < '\x7F'; }

bool is_label_name(std::string_view name) {  // letters of any alphabet
  return !name.empty() && name.size() <= kMaxName &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7F'; });
}

// --- command, entrypoint

std::optional<std::vector<std::string>> read_words(const Value& list) {
  constexpr std::string_view kWhat = "a list of words, or one string";
  if (list.is(Node::Kind::kScalar)) {
    auto words = split_shell_words(list.node().text);
    if (!words) list.fail("a quote is never closed, or a backslash stands at the end");
    return words;
  }
  if (!list.is(Node::Kind::kSequence)) return list.expected(kWhat), std::nullopt;
  std::vector<std::string> words;
  list.each_item(kWhat, [&](const Value& value) {
    if (auto word = value.text("a word")) words.push_back(*std::move(word));
  });
  if (words.size() != list.node().items.size()) return std::nullopt;
  return words;
}

void read_command(const Value& value, ServiceSpec& spec) {
  keep(spec.command, value, read_words(value));
}

void read_entrypoint(const Value& value, ServiceSpec& spec) {
  keep(spec.entrypoint, value, read_words(value));
}

// --- environment, env_file, labels

class Environment {
 public:
  using List = std::vector<std::pair<std::string, std::string>>;

  explicit Environment(List& list) : list_(list) {
    for (std::size_t i = 0; i < list.size(); ++i) index_.emplace(list[i].first, i);
  }

  void set(const std::string& name, std::string value) {
    const auto [found, added] = index_.emplace(name, list_.size());
    if (added)
      list_.emplace_back(name, std::move(value));
    else
      list_[found->second].second = std::move(value);
  }

 private:
  List& list_;
  std::unordered_map<std::string, std::size_t> index_;
};

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_graphic(c) && c != '='; });
}

void read_environment(const Value& value, ServiceSpec& spec) {
  Environment environment(spec.environment);
  value.each_pair("a mapping or a list of NAME=value",
                  [&](std::string_view name, std::optional<std::string> text, const Value& at) {
                    if (!is_variable_name(name))
                      return at.fail_key("\"" + clipped(name) + "\" is not a variable's name");
                    if (!text) text = at.context().variables.find(name);
                    if (!text)
                      return;  // handed on from the caller's environment, where it is not set
                    if (find_invalid_utf8(*text) != std::string::npos)
                      return at.fail("the value of `" + clipped(name) + "` is not valid UTF-8");
                    environment.set(std::string(name), *std::move(text));
                  });
}

void add_env_file(const Value& value, std::string_view path, bool required,
                  Environment& environment) {
  Context& context = value.context();
  const Result<std::string> absolute = context.absolute(path, value.node().place);
  const Result<std::string> bytes = absolute ? read_input(*absolute) : absolute;
  if (!bytes) {
    if (!required && bytes.error().code() == ENOENT) return;
    return value.fail(clipped(path) + ": " + std::string(bytes.error().reason()));
  }
  if (bytes->size() > context.text_left) return value.fail("env files of more than 4 MiB in all");
  context.text_left -= bytes->size();
  EnvFile file = parse_env_file(*bytes, context.variables);
  for (Misread& error : file.errors)
    context.problems.add({std::string(path), error.place.line, error.place.column, ""},
                         std::move(error.text));
  for (Misread& warning : file.warnings)
    context.problems.add({std::string(path), warning.place.line, warning.place.column, ""},
                         std::move(warning.text), true);
  for (auto& [name, text] : file.entries) {
    if (!is_variable_name(name))
      return value.fail(clipped(path) + ": \"" + clipped(name) + "\" is not a variable's name");
    if (text) environment.set(name, *std::move(text));
  }
}

void read_env_file_entry(const Value& value, Environment& environment) {
  std::string path;
  bool required = true;
  for (const Entry& entry : value.node().entries) {
    const Value key = value.child(entry);
    if (entry.key == "path")
      path = key.text("a path").value_or("");
    else if (entry.key == "required")
      required = key.boolean().value_or(true);
    else if (entry.key == "format")
      key.fail_key("not supported yet");
    else
      key.fail_key("unknown key");
  }
  if (path.empty()) return value.fail("needs `path`");
  add_env_file(value, path, required, environment);
}

void read_env_file(const Value& list, ServiceSpec& spec) {
  Environment environment(spec.environment);
  list.each_item_or_one("a path or a list of paths", [&](const Value& value) {
    if (value.is(Node::Kind::kMapping)) return read_env_file_entry(value, environment);
    const auto path = value.text("a path");
    if (path && path->empty()) return value.expected("a path");
    if (path) add_env_file(value, *path, true, environment);
  });
}

void read_labels(const Value& value, ServiceSpec& spec) {
  value.each_pair(
      "a mapping or a list of NAME=value",
      [&](std::string_view name, const std::optional<std::string>& text, const Value& at) {
        if (!is_label_name(name))
          return at.fail_key("\"" + clipped(name) + "\" is not a label's name");
        spec.labels.insert_or_assign(std::string(name), text.value_or(""));
      });
}

// --- working_dir, user, hostname

void read_working_dir(const Value& value, ServiceSpec& spec) {
  const auto text = value.text("an absolute path in the jail");
  if (text) keep(spec.working_dir, value, jail_path(value, *text));
}

void read_user(const Value& value, ServiceSpec& spec) {
  constexpr std::string_view kWhat =
      "NAME or UID, with :GROUP or :GID if need be (ids from 0 to 4294967294)";
  const auto text = value.text(kWhat);
  if (!text) return;
  if (!is_user(*text)) return value.expected(kWhat);
  keep(spec.user, value, text);
}

void read_group_add(const Value& list, ServiceSpec& spec) {
  list.each_item("a list of groups", [&](const Value& value) {
    constexpr std::string_view kWhat = "the name or the number of a group (0 to 4294967294)";
    const auto text = value.text(kWhat);
    if (!text) return;
    if (!is_group(*text)) return value.expected(kWhat);
    spec.group_add.push_back({*text, value.origin()});
  });
}

bool is_host_label(std::string_view label) {
  constexpr std::size_t kLongest = 63;
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !label.empty() && label.size() <= kLongest && letter_or_digit(label.front()) &&
         letter_or_digit(label.back()) && std::all_of(label.begin(), label.end(), [&](char c) {
           return letter_or_digit(c) || c == '-';
         });
}

void read_hostname(const Value& value, ServiceSpec& spec) {
  constexpr std::size_t kLongest = 64;  // __NEW_UTS_LEN
  constexpr std::string_view kWhat =
      "a host name (letters, digits, `-` and `.`, at most 64 characters, 63 between dots)";
  const auto text = value.text(kWhat);
  if (!text) return;
  const std::vector<std::string_view> labels = split(*text, '.');
  if (text->size() > kLongest || !std::all_of(labels.begin(), labels.end(), is_host_label))
    return value.expected(kWhat);
  keep(spec.hostname, value, text);
}

// --- how it is waited for and ended

std::optional<std::chrono::milliseconds> read_duration(const Value& value, std::int64_t least) {
  constexpr std::string_view kWhat = "a duration such as 1m30s";
  const auto text = value.text(kWhat);
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  if (duration && duration->count() >= least) return duration;
  value.expected(kWhat);
  return std::nullopt;
}

void read_stop_signal(const Value& value, ServiceSpec& spec) {
  constexpr std::string_view kWhat = "a signal such as SIGTERM, 15 or RTMIN+3";
  const auto text = value.text(kWhat);
  if (!text) return;
  const auto number = parse_signal(*text);
  if (!number) return value.expected(kWhat);
  keep(spec.stop_signal, value, number);
}

void read_stop_grace_period(const Value& value, ServiceSpec& spec) {
  keep(spec.stop_grace_period, value, read_duration(value, 0));
}

void read_time_limit(const Value& value, ServiceSpec& spec) {
  keep(spec.time_limit, value, read_duration(value, 1));
}

void read_init(const Value& value, ServiceSpec& spec) { keep(spec.init, value, value.boolean()); }

constexpr KeyRow kProcessKeys[] = {
    {"command", read_command},
    {"entrypoint", read_entrypoint},
    {"env_file", read_env_file},  // before environment, which wins
    {"environment", read_environment},
    {"working_dir", read_working_dir},
    {"user", read_user},
    {"group_add", read_group_add},
    {"hostname", read_hostname},
    {"init", read_init},
    {"stop_signal", read_stop_signal},
    {"stop_grace_period", read_stop_grace_period},
    {"time_limit", read_time_limit},
    {"labels", read_labels},
};

}  // namespace

std::span<const KeyRow> process_keys() { return kProcessKeys; }

}  // namespace jaula::spec
