#include "runtime/spec/seccomp_file.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/spec/json_document.h"
#include "runtime/spec/seccomp_names.h"
#include "runtime/spec/seccomp_parts.h"
#include "runtime/spec/syscall_groups.h"
#include "runtime/spec/syscall_names.h"

namespace jaula::spec {
namespace {

// What has to be decided once the whole of an object is known.
struct ErrnoWords {
  const JsonNode* number = nullptr;
  const JsonNode* name = nullptr;
};

// What a call that is let through or refused whatever its arguments was given, and where.
struct Settled {
  const JsonNode* rule = nullptr;
  SeccompAction action = SeccompAction::kAllow;
  std::uint32_t errno_ret = 0;
};

bool lets_through(SeccompAction action) {
  return action == SeccompAction::kAllow || action == SeccompAction::kLog;
}

class ProfileReader {
 public:
  ProfileReader(const JsonDocument& json, const KernelVersion& kernel, Problems& problems)
      : json_(json), kernel_(kernel), problems_(problems) {}

  SeccompFile run() {
    const JsonNode* action = nullptr;
    const JsonNode* syscalls = nullptr;
    ErrnoWords words;
    json_.each_member(json_.root(), kKeys, [&](const JsonNode& node) {
      if (node.key == "defaultAction") action = &node;
      if (node.key == "defaultErrnoRet") words.number = &node;
      if (node.key == "defaultErrno") words.name = &node;
      if (node.key == "architectures") read_architectures(json_, node);
      if (node.key == "archMap") read_architecture_map(json_, node);
      if (node.key == "flags") read_flags(node);
      if (node.key == "syscalls") syscalls = &node;
      if (node.key.starts_with("listener")) json_.fail_key(node, std::string(kNoListener));
    });
    read_default(action, words);
    if (syscalls != nullptr)
      json_.each_item(*syscalls, "a list of rules", [&](const JsonNode& rule) { read(rule); });
    return std::move(file_);
  }

 private:
  static constexpr std::string_view kKeys[] = {
      "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap",
      "flags",         "syscalls",        "comment",      "listenerPath",  "listenerMetadata"};
  static constexpr std::string_view kNoListener =
      "not supported: it needs a program that listens for the calls, and a jail has none";

  void read_default(const JsonNode* action, const ErrnoWords& words);
  void read_flags(const JsonNode& list);
  void read(const JsonNode& rule);
  void read_names(const JsonNode& rule, const JsonNode* list, const JsonNode* one,
                  SeccompFileRule& out);
  void read_name(const JsonNode& node, SeccompRule& rule);
  std::optional<SeccompAction> read_action(const JsonNode& node);
  std::optional<std::uint32_t> read_errno(const ErrnoWords& words, SeccompAction action);
  void settle(const JsonNode& node, const SeccompFileRule& rule);

  const JsonDocument& json_;
  KernelVersion kernel_;
  Problems& problems_;
  SeccompFile file_;
  // By number: the first rule of each kind that is always there.
  std::array<Settled, kSyscallEnd> whole_ = {};
  std::array<Settled, kSyscallEnd> in_part_ = {};
};

std::optional<SeccompAction> ProfileReader::read_action(const JsonNode& node) {
  const auto word = json_.text(node, "an action such as SCMP_ACT_ALLOW");
  if (!word) return std::nullopt;
  if (const auto action = find_word(kSeccompActions, *word)) return action;
  if (*word == "SCMP_ACT_TRACE") {
    json_.fail(node, "SCMP_ACT_TRACE is not supported: it needs a tracer, and a jail has none");
  } else if (*word == "SCMP_ACT_NOTIFY") {
    json_.fail(node, "SCMP_ACT_NOTIFY is " + std::string(kNoListener));
  } else {
    std::vector<std::string_view> known;
    for (const auto& action : kSeccompActions) known.push_back(action.text);
    json_.fail(node, "unknown action \"" + clipped(*word) + '"' + meant(*word, known));
  }
  return std::nullopt;
}

std::optional<std::uint32_t> ProfileReader::read_errno(const ErrnoWords& words,
                                                       SeccompAction action) {
  std::optional<std::uint32_t> number;
  if (words.number != nullptr)
    if (const auto read = json_.number(*words.number, kMaxErrno))
      number = static_cast<std::uint32_t>(*read);
  if (words.name != nullptr) {
    const auto name = json_.text(*words.name, "an errno's name such as EPERM");
    const auto named = name ? errno_number(*name) : std::nullopt;
    if (name && !named) json_.fail(*words.name, "unknown errno \"" + clipped(*name) + '"');
    if (named && number && *named != *number)
      json_.fail(*words.name, std::string(*name) + " is " + std::to_string(*named) + ", and " +
                                  std::string(words.number->key) + " says " +
                                  std::to_string(*number));
    if (named) number = named;
  }
  const JsonNode* node = words.number != nullptr ? words.number : words.name;
  if (node != nullptr && action != SeccompAction::kErrno)
    json_.fail_key(*node, "only SCMP_ACT_ERRNO answers with an errno");
  return number;
}

void ProfileReader::read_default(const JsonNode* action, const ErrnoWords& words) {
  if (action == nullptr) return json_.fail(json_.root(), "needs `defaultAction`");
  const auto read = read_action(*action);
  if (!read) return;
  file_.config.default_action = *read;
  file_.config.default_errno_ret = read_errno(words, *read);
}

void ProfileReader::read_flags(const JsonNode& list) {
  std::vector<SeccompFlag>& flags = file_.config.flags.emplace();
  json_.each_item(list, "a list of flags", [&](const JsonNode& node) {
    const auto word = json_.text(node, "a flag such as SECCOMP_FILTER_FLAG_LOG");
    if (!word) return;
    const auto flag = find_word(kSeccompFlags, *word);
    if (flag) return flags.push_back(*flag);
    json_.fail(node, "flag \"" + clipped(*word) + "\" is not supported; " +
                         std::string(kSeccompFlags[0].text) + " and " +
                         std::string(kSeccompFlags[1].text) + " are");
  });
}

void ProfileReader::read(const JsonNode& node) {
  static constexpr std::string_view kRuleKeys[] = {
      "names", "name", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes"};
  SeccompFileRule out;
  const JsonNode* names = nullptr;
  const JsonNode* name = nullptr;
  const JsonNode* action = nullptr;
  ErrnoWords words;
  bool there = true;
  json_.each_member(node, kRuleKeys, [&](const JsonNode& member) {
    if (member.key == "names") names = &member;
    if (member.key == "name") name = &member;
    if (member.key == "action") action = &member;
    if (member.key == "errnoRet") words.number = &member;
    if (member.key == "errno") words.name = &member;
    if (member.key == "args") read_arguments(json_, member, out.rule);
    if (member.key == "includes") there = read_filter({json_, kernel_, true}, member, out) && there;
    if (member.key == "excludes")
      there = read_filter({json_, kernel_, false}, member, out) && there;
  });
  if (node.kind != JsonKind::kObject) return;
  if (action == nullptr) return json_.fail(node, "needs `action`");
  const auto read = read_action(*action);
  if (!read) return;
  out.rule.action = *read;
  out.rule.errno_ret = read_errno(words, *read);
  if (!there) return;  // and its names may be of another architecture
  read_names(node, names, name, out);
  if (out.rule.names.empty()) return;
  settle(node, out);
  file_.rules.push_back(std::move(out));
}

void ProfileReader::read_names(const JsonNode& rule, const JsonNode* list, const JsonNode* one,
                               SeccompFileRule& out) {
  if (list != nullptr && one != nullptr)
    return json_.fail_key(*one, "stands beside `names`; one of the two");
  if (one != nullptr) return read_name(*one, out.rule);
  if (list == nullptr) return json_.fail(rule, "needs `names`");
  json_.each_item(*list, "a list of system calls",
                  [&](const JsonNode& node) { read_name(node, out.rule); });
}

// A name that no table has may be of a newer kernel. Left out of what is let through it stays
// refused; left out of what is refused it would be let through.
void ProfileReader::read_name(const JsonNode& node, SeccompRule& rule) {
  const auto name = json_.text(node, "a system call's name");
  if (!name) return;
  if (find_syscall(*name)) {
    rule.names.emplace_back(*name);
    return;
  }
  const bool opens = !lets_through(rule.action) && lets_through(file_.config.default_action);
  if (problems_.full(!opens) || is_foreign_syscall(*name)) return;
  std::vector<std::string_view> known(kSyscallsByName.size());
  std::ranges::transform(kSyscallsByName, known.begin(), syscall_name);
  const std::string text = "unknown system call \"" + clipped(*name) + '"' + meant(*name, known);
  if (opens)
    json_.fail(node, text + "; what it is to refuse would be let through");
  else
    json_.warn(node, text + "; passed over");
}

// One call, whatever its arguments, cannot have two answers; and what arguments decide cannot be
// decided without them, too. Where capabilities choose between rules, the first one there is taken,
// as docker does.
void ProfileReader::settle(const JsonNode& node, const SeccompFileRule& rule) {
  if (rule.needs != 0 || rule.without != 0) return;
  const Settled own{&node, rule.rule.action, rule.rule.errno_ret.value_or(EPERM)};
  const auto differs = [&](const Settled& other) {
    return other.rule != nullptr && other.rule != own.rule &&
           (other.action != own.action || other.errno_ret != own.errno_ret);
  };
  for (const std::string& name : rule.rule.names) {
    const auto number = static_cast<std::size_t>(*find_syscall(name));
    auto& table = rule.rule.args.empty() ? whole_ : in_part_;
    const auto& against = rule.rule.args.empty() && differs(whole_[number]) ? whole_
                          : rule.rule.args.empty()                          ? in_part_
                                                                            : whole_;
    if (differs(against[number]))
      json_.fail(node, "`" + name + "` has another answer in the rule at " +
                           json_.place_of(*against[number].rule));
    if (table[number].rule == nullptr) table[number] = own;
  }
}

}  // namespace

KernelVersion running_kernel() {
  utsname name{};
  return ::uname(&name) == 0 ? parse_kernel_version(name.release) : KernelVersion{};
}

Result<std::string> read_profile(const std::string& path) {
  const Fd file = TRY(sys::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const struct stat status = TRY(sys::fstat(file.get()));
  if (S_ISDIR(status.st_mode)) return Error(EISDIR, "read ", path);
  if (!S_ISREG(status.st_mode)) return Error(0, "not a regular file");
  return read_fd(file.get(), path);
}

SeccompFile parse_seccomp_file(std::string_view text, const std::string& path,
                               const KernelVersion& kernel, Problems& problems) {
  const JsonDocument json(text, path, problems);
  if (!json.valid()) return {};
  SeccompFile file = ProfileReader(json, kernel, problems).run();
  file.path = path;
  return file;
}

}  // namespace jaula::spec
