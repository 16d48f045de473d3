#include "runtime/spec/seccomp_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "runtime/spec/seccomp_file.h"
#include "runtime/spec/seccomp_names.h"
#include "runtime/spec/syscall_groups.h"
#include "runtime/spec/syscall_names.h"

namespace jaula::spec {
namespace {

constexpr std::string_view kWhat =
    "default, strict, unconfined, a JSON profile such as ./profile.json, or {allow: [...], "
    "deny: [...], mode: log}";

constexpr std::pair<std::string_view, SeccompProfile> kProfiles[] = {
    {"default", SeccompProfile::kDefault},
    {"strict", SeccompProfile::kStrict},
    {"unconfined", SeccompProfile::kUnconfined}};

// What `allow` may begin from.
constexpr std::string_view kBases[] = {"default", "strict"};

// Without execve nothing is ever started.
constexpr std::string_view kNeeded = "execve";

bool is_base(std::string_view name) { return std::ranges::find(kBases, name) != std::end(kBases); }

bool say_the_same(const Seccomp& a, const Seccomp& b) {
  return a.profile == b.profile && a.profile != SeccompProfile::kLists &&
         a.file.path == b.file.path;
}

// The key and the security option say the same thing; a flag wins over the file.
void set_seccomp(const Value& value, Seccomp seccomp, ServiceSpec& spec) {
  if (spec.seccomp) {
    const bool from_flag = value.node().place.flag >= 0;
    const bool by_flag = spec.seccomp->origin.line == 0;
    if (by_flag && !from_flag) return;
    if (by_flag == from_flag && !say_the_same(spec.seccomp->value, seccomp))
      return value.fail("another profile is given by " + spec.seccomp->origin.text());
  }
  spec.seccomp = {std::move(seccomp), value.origin()};
}

bool is_path(std::string_view word) {
  return word.find('/') != word.npos || word.starts_with('~') || word.ends_with(".json");
}

void read_file_name(const Value& value, std::string_view word, ServiceSpec& spec) {
  Context& context = value.context();
  const Result<std::string> path = context.absolute(word, value.node().place);
  if (!path) return value.fail(std::string(path.error().text()));
  const Result<std::string> text = read_profile(*path);
  if (!text) {
    const Error& error = text.error();
    return value.fail(clipped(word) + ": " +
                      std::string(error.code() != 0 ? error.reason() : error.text()));
  }
  Seccomp seccomp{.profile = SeccompProfile::kFile};
  seccomp.file = parse_seccomp_file(*text, *path, running_kernel(), context.problems);
  set_seccomp(value, std::move(seccomp), spec);
}

// --- {allow, deny, mode}

std::string near_name(const Value& value, std::string_view name, bool with_bases) {
  std::vector<std::string_view> known = {kKnownGroup};
  for (const SyscallGroup& group : syscall_groups()) known.push_back(group.name);
  for (const int number : kSyscallsByName) known.push_back(syscall_name(number));
  if (with_bases) known.insert(known.end(), std::begin(kBases), std::end(kBases));
  return value.context().did_you_mean(name, known);
}

// nullopt after it has been said what is wrong, and for a call that can never come.
std::optional<std::string> call_name(const Value& value, bool groups, bool bases) {
  auto name = value.text(groups ? "a system call or a @group" : "a system call's name");
  if (!name) return std::nullopt;
  const bool group = name->starts_with('@');
  if (group && groups && is_syscall_group(*name)) return name;
  if (!group && (find_syscall(*name) || (bases && is_base(*name)))) return name;
  if (is_foreign_syscall(*name)) {
    value.warn("`" + *name + "` is no system call of x86-64; without effect");
  } else if (is_base(*name)) {
    value.fail("`" + *name + "` is a profile, which only `allow` can begin from");
  } else {
    value.fail("unknown " + std::string(group ? "group" : "system call") + " \"" + clipped(*name) +
               '"' + near_name(value, *name, bases));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_number(const Value& value) {
  constexpr std::string_view kNumber = "a whole number such as 10 or 0x10";
  const auto text = value.text(kNumber);
  if (!text) return std::nullopt;
  const bool hex = text->starts_with("0x");
  const char* const end = text->data() + text->size();
  std::uint64_t number = 0;
  const auto read = std::from_chars(text->data() + (hex ? 2 : 0), end, number, hex ? 16 : 10);
  const bool octal = text->size() > 1 && text->front() == '0' && !hex;
  if (read.ec == std::errc{} && read.ptr == end && !octal) return number;
  value.expected(kNumber);
  return std::nullopt;
}

void read_argument_key(const Value& value, std::string_view key, SeccompArgument& argument) {
  static constexpr std::string_view kKeys[] = {"index", "value", "valueTwo", "op"};
  if (key == "index") {
    argument.index =
        static_cast<std::uint32_t>(value.integer(0, kSeccompArguments - 1, "0 to 5").value_or(0));
  } else if (key == "value") {
    argument.value = read_number(value).value_or(0);
  } else if (key == "valueTwo") {
    argument.value_two = read_number(value).value_or(0);
  } else if (key == "op") {
    constexpr std::string_view kOperator = "an operator such as SCMP_CMP_EQ";
    const auto word = value.text(kOperator);
    const auto op = word ? find_word(kSeccompOperators, *word) : std::nullopt;
    if (word && !op) value.expected(kOperator);
    argument.op = op.value_or(SeccompOperator::kEqual);
  } else {
    value.fail_key("unknown key" + value.context().did_you_mean(key, kKeys));
  }
}

void read_arguments(const Value& list, SeccompEntry& entry) {
  list.each_item("a list of conditions", [&](const Value& value) {
    if (!value.is(Node::Kind::kMapping)) return value.expected("{index, value, op}");
    SeccompArgument argument;
    for (const Entry& member : value.node().entries)
      read_argument_key(value.child(member), member.key, argument);
    for (const std::string_view key : {"index", "value", "op"})
      if (value.node().find(key) == nullptr) return value.fail("needs `index`, `value` and `op`");
    entry.args.push_back(argument);
  });
}

void read_rule(const Value& value, std::vector<SeccompEntry>& entries) {
  static constexpr std::string_view kKeys[] = {"name", "args"};
  SeccompEntry entry{.name = {}, .whole = true};
  bool named = false;
  for (const Entry& member : value.node().entries) {
    const Value child = value.child(member);
    if (member.key == "name") {
      named = true;
      entry.name = call_name(child, false, false).value_or("");
    } else if (member.key == "args") {
      read_arguments(child, entry);
    } else {
      child.fail_key("unknown key" + child.context().did_you_mean(member.key, kKeys));
    }
  }
  if (!named) return value.fail("needs `name`");
  if (!entry.name.empty()) entries.push_back(std::move(entry));
}

void read_allow(const Value& list, SeccompLists& lists) {
  std::vector<SeccompEntry>& entries = lists.allow.emplace();
  list.each_item("a list of system calls and @groups", [&](const Value& value) {
    if (value.is(Node::Kind::kMapping)) return read_rule(value, entries);
    if (auto name = call_name(value, true, true))
      entries.push_back({.name = *std::move(name), .whole = false});
  });
}

bool takes_what_a_start_needs(std::string_view name) {
  bool found = name == kNeeded;
  if (name.starts_with('@'))
    each_in_group(name, [&](std::string_view call) { found = found || call == kNeeded; });
  return found;
}

void read_deny(const Value& list, SeccompLists& lists) {
  list.each_item("a list of system calls and @groups", [&](const Value& value) {
    if (value.is(Node::Kind::kMapping))
      return value.fail("`deny` takes names alone; conditions are for `allow`");
    auto name = call_name(value, true, false);
    if (!name) return;
    if (takes_what_a_start_needs(*name))
      return value.fail("without `" + std::string(kNeeded) + "` nothing can be started");
    lists.deny.push_back(*std::move(name));
  });
}

void read_lists(const Value& value, ServiceSpec& spec) {
  static constexpr std::string_view kKeys[] = {"allow", "deny", "mode"};
  static constexpr Choice<bool> kModes[] = {{"enforce", false}, {"log", true}};
  if (value.node().entries.empty()) return value.fail("needs `allow`, `deny` or `mode`");
  Seccomp seccomp{.profile = SeccompProfile::kLists};
  for (const Entry& entry : value.node().entries) {
    const Value child = value.child(entry);
    if (entry.key == "allow")
      read_allow(child, seccomp.lists);
    else if (entry.key == "deny")
      read_deny(child, seccomp.lists);
    else if (entry.key == "mode")
      seccomp.lists.log = one_of(child, kModes, "enforce or log").value_or(false);
    else
      child.fail_key("unknown key" + child.context().did_you_mean(entry.key, kKeys));
  }
  set_seccomp(value, std::move(seccomp), spec);
}

}  // namespace

void read_seccomp_word(const Value& value, std::string_view word, ServiceSpec& spec) {
  for (const auto& [name, profile] : kProfiles)
    if (word == name) return set_seccomp(value, {.profile = profile}, spec);
  if (is_path(word)) return read_file_name(value, word, spec);
  std::vector<std::string_view> names;
  for (const auto& [name, profile] : kProfiles) names.push_back(name);
  const std::string near = value.context().did_you_mean(word, names);
  if (near.empty()) return value.expected(kWhat);
  value.fail("unknown profile \"" + clipped(word) + '"' + near);
}

void read_seccomp(const Value& value, ServiceSpec& spec) {
  if (value.is(Node::Kind::kScalar)) return read_seccomp_word(value, value.node().text, spec);
  if (value.is(Node::Kind::kMapping)) return read_lists(value, spec);
  value.expected(kWhat);
}

}  // namespace jaula::spec
