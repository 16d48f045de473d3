// `security_opt` and the lists of paths that it shares with `mask` and `readonly_paths`.
#include <algorithm>
#include <string>
#include <string_view>

#include "runtime/base/text.h"
#include "runtime/spec/seccomp_reader.h"
#include "runtime/spec/service_keys.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

using Paths = std::vector<Sourced<std::string>>;

void read_path(const Value& value, std::string_view text, Paths& paths) {
  std::optional<std::string> path = jail_path(value, text);
  if (!path) return;
  if (*path == "/") return value.fail("the root of the jail itself; see `read_only`");
  paths.push_back({*std::move(path), value.origin()});
}

void read_paths(const Value& list, Paths& paths) {
  list.each_item("a list of paths in the jail", [&](const Value& value) {
    if (const auto text = value.text("an absolute path in the jail"))
      read_path(value, *text, paths);
  });
}

// podman's: PATH:PATH
void read_joined_paths(const Value& value, std::string_view word, Paths& paths) {
  for (const std::string_view path : split(word, ':')) read_path(value, path, paths);
}

void read_unmask(const Value& value, std::string_view word, ServiceSpec& spec) {
  if (uppered(word) != "ALL") return read_joined_paths(value, word, spec.unmask);
  spec.unmask.push_back({"ALL", value.origin()});
}

// docker's word for unmask=ALL.
void read_system_paths(const Value& value, std::string_view word, ServiceSpec& spec) {
  if (word != "unconfined") return value.expected("systempaths=unconfined");
  spec.unmask.push_back({"ALL", value.origin()});
}

void read_no_new_privileges(const Value& value, std::string_view word, ServiceSpec& spec) {
  const auto on = word.empty() ? std::optional(true) : parse_boolean(word);
  if (!on) return value.expected("no-new-privileges:true or no-new-privileges:false");
  keep(spec.no_new_privileges, value, on);
}

void read_mask_word(const Value& value, std::string_view word, ServiceSpec& spec) {
  read_joined_paths(value, word, spec.mask);
}

// One line of a procfs file, as the kernel splits it.
bool is_profile_name(std::string_view name) {
  constexpr std::size_t kLongest = 4000;
  const auto printable = [](char c) { return c > ' ' && c != 0x7f; };
  return !name.empty() && name.size() <= kLongest && printable(name.front()) &&
         printable(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return c == ' ' || printable(c); });
}

void read_apparmor(const Value& value, std::string_view word, ServiceSpec& spec) {
  if (!is_profile_name(word)) return value.expected("apparmor=PROFILE or apparmor=unconfined");
  keep(spec.apparmor, value, std::optional(std::string(word)));
}

// Of a context's first three parts; the level has ranges and categories besides.
bool is_context_part(std::string_view text, bool level) {
  constexpr std::size_t kLongest = 1000;
  const auto allowed = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || (level && (c == ':' || c == ','));
  };
  return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), allowed);
}

// Each option names a part; a later one of the same part counts, as the later of two options does.
void read_label(const Value& value, std::string_view word, ServiceSpec& spec) {
  constexpr std::string_view kForm =
      "label=disable, or label=user:, role:, type: or level: with a value";
  SelinuxLabel label = spec.selinux ? spec.selinux->value : SelinuxLabel{};
  const std::size_t colon = word.find(':');
  const std::string_view part = word.substr(0, colon);
  if (part == "filetype" || part == "nested") return value.not_supported();
  if (word == "disable") {
    label = {.disable = true};
  } else {
    std::string* place = part == "user"    ? &label.user
                         : part == "role"  ? &label.role
                         : part == "type"  ? &label.type
                         : part == "level" ? &label.level
                                           : nullptr;
    if (place == nullptr || colon == std::string_view::npos ||
        !is_context_part(word.substr(colon + 1), part == "level"))
      return value.expected(kForm);
    *place = word.substr(colon + 1);
    if (label.disable) return value.fail("a part of a label contradicts label=disable");
  }
  keep(spec.selinux, value, std::optional(std::move(label)));
}

struct Option {
  std::string_view name;
  void (*read)(const Value& value, std::string_view word, ServiceSpec& spec);  // none: not yet
};

constexpr Option kOptions[] = {
    {"no-new-privileges", read_no_new_privileges},
    {"seccomp", read_seccomp_word},
    {"mask", read_mask_word},
    {"unmask", read_unmask},
    {"systempaths", read_system_paths},
    {"apparmor", read_apparmor},
    {"label", read_label},
    {"proc-opts", nullptr},
    {"credentialspec", nullptr},
};

void read_security_option(const Value& value, ServiceSpec& spec) {
  const auto text = value.text("an option such as no-new-privileges:true");
  if (!text) return;
  const std::size_t separator = text->find_first_of(":=");
  const std::string_view name = std::string_view(*text).substr(0, separator);
  const std::string_view word =
      separator == std::string::npos ? "" : std::string_view(*text).substr(separator + 1);
  std::vector<std::string_view> names;
  for (const Option& option : kOptions) {
    if (option.name == name)
      return option.read == nullptr ? value.not_supported() : option.read(value, word, spec);
    names.push_back(option.name);
  }
  value.fail("unknown security option \"" + clipped(*text) + '"' +
             value.context().did_you_mean(name, names));
}

}  // namespace

void read_security_opt(const Value& list, ServiceSpec& spec) {
  list.each_item("a list of security options",
                 [&](const Value& value) { read_security_option(value, spec); });
}

void read_mask(const Value& list, ServiceSpec& spec) { read_paths(list, spec.mask); }

void read_readonly_paths(const Value& list, ServiceSpec& spec) {
  read_paths(list, spec.readonly_paths);
}

}  // namespace jaula::spec
