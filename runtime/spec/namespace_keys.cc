// Keys about what a jail shares of the kernel's namespaces. namespaces(7)
#include <optional>
#include <span>

#include "runtime/base/text.h"
#include "runtime/spec/service_keys.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

using Mode = NamespaceMode;

// One kind of namespace: the words of its key, and whether another one can be entered.
struct Kind {
  std::string_view name;  // in `namespaces`
  std::string_view key;   // Compose's
  Key<NamespaceChoice> ServiceSpec::*member;
  std::span<const Choice<Mode>> words;
  std::string_view expected;
  bool joins = true;
};

// `private` is without a word of Compose for `pid` and `uts`.
constexpr Choice<Mode> kTwo[] = {{"host", Mode::kHost}, {"private", Mode::kPrivate}};
// A jail's IPC can be joined by whoever may start jails, so it is always `shareable`.
constexpr Choice<Mode> kIpcWords[] = {{"host", Mode::kHost},
                                      {"private", Mode::kPrivate},
                                      {"shareable", Mode::kPrivate},
                                      {"none", Mode::kNone}};
constexpr Choice<Mode> kNetworkWords[] = {
    {"none", Mode::kNone}, {"host", Mode::kHost}, {"private", Mode::kPrivate}, {"bridge", {}}};

constexpr Kind kPid = {"pid", "pid", &ServiceSpec::pid, kTwo,
                       "private, host, jail:NAME or ns:PATH"};
constexpr Kind kUts = {"uts", "uts", &ServiceSpec::uts, kTwo,
                       "private, host, jail:NAME or ns:PATH"};
constexpr Kind kIpc = {"ipc", "ipc", &ServiceSpec::ipc, kIpcWords,
                       "private, none, host, jail:NAME or ns:PATH"};
constexpr Kind kCgroup = {"cgroup", "cgroup", &ServiceSpec::cgroup, kTwo, "private or host", false};
constexpr Kind kNetwork = {"net", "network_mode", &ServiceSpec::network_mode, kNetworkWords,
                           "private, none, host, jail:NAME or ns:PATH"};

// "jail:NAME", which Compose and docker write service:NAME and container:NAME, or "ns:/PATH".
std::optional<std::string> join_target(const Value& value, std::string_view text) {
  for (const std::string_view prefix : {"jail:", "container:", "service:"}) {
    if (!text.starts_with(prefix)) continue;
    const std::string_view name = text.substr(prefix.size());
    if (is_name(name)) return "jail:" + std::string(name);
    value.expected("the name of a jail behind the colon");
    return std::nullopt;
  }
  const std::string_view path = text.substr(3);
  if (path.starts_with('/')) return "ns:" + std::string(path);
  value.expected("an absolute path of the host behind `ns:`");
  return std::nullopt;
}

bool is_join(std::string_view text) {
  return text.starts_with("jail:") || text.starts_with("container:") ||
         text.starts_with("service:") || text.starts_with("ns:");
}

std::optional<NamespaceChoice> read_choice(const Value& value, const Kind& kind) {
  const std::optional<std::string> text = value.text(kind.expected);
  if (!text) return std::nullopt;
  if (kind.joins && is_join(*text)) {
    std::optional<std::string> target = join_target(value, *text);
    if (!target) return std::nullopt;
    return NamespaceChoice{.mode = Mode::kJoin, .target = std::move(*target)};
  }
  for (const Choice<Mode>& word : kind.words) {
    if (*text != word.name) continue;
    if (word.value) return NamespaceChoice{.mode = *word.value, .target = {}};
    value.not_supported();
    return std::nullopt;
  }
  value.expected(kind.expected);
  return std::nullopt;
}

template <const Kind& kKind>
void read_key(const Value& value, ServiceSpec& spec) {
  keep(spec.*kKind.member, value, read_choice(value, kKind));
}

void read_in_mapping(const Value& value, const Kind& kind, ServiceSpec& spec) {
  const std::optional<NamespaceChoice> choice = read_choice(value, kind);
  if (!choice) return;
  Key<NamespaceChoice>& key = spec.*kind.member;
  if (key && key->value != *choice)
    return value.fail("contradicts `" + std::string(kind.key) + "` at " + key->origin.text());
  if (!key) keep(key, value, choice);
}

// The host's clock plus this much; less with a minus in front.
std::optional<std::chrono::milliseconds> read_offset(const Value& value) {
  constexpr std::string_view kWhat = "a duration such as 1h or -90s";
  const std::optional<std::string> text = value.text(kWhat);
  if (!text) return std::nullopt;
  const bool back = text->starts_with('-');
  const auto offset = parse_duration(std::string_view(*text).substr(back ? 1 : 0));
  if (!offset) {
    value.expected(kWhat);
    return std::nullopt;
  }
  return back ? -*offset : *offset;
}

void read_time(const Value& value, ServiceSpec& spec) {
  constexpr std::string_view kWhat =
      "{boottime: DURATION, monotonic: DURATION}, jail:NAME or ns:PATH";
  TimeChoice time;
  if (value.is(Node::Kind::kScalar) && is_join(value.node().text)) {
    const std::optional<std::string> target = join_target(value, value.node().text);
    if (!target) return;
    time.target = *target;
  } else if (value.is(Node::Kind::kMapping)) {
    for (const Entry& entry : value.node().entries) {
      const Value offset = value.child(entry);
      if (entry.key != "boottime" && entry.key != "monotonic") {
        offset.fail_key("unknown key");
        continue;
      }
      (entry.key == "boottime" ? time.boottime : time.monotonic) =
          read_offset(offset).value_or(std::chrono::milliseconds{});
    }
  } else {
    return value.expected(kWhat);
  }
  keep(spec.time, value, std::optional(std::move(time)));
}

void read_namespaces(const Value& value, ServiceSpec& spec) {
  static constexpr const Kind* kKinds[] = {&kPid, &kUts, &kIpc, &kCgroup, &kNetwork};
  if (!value.is(Node::Kind::kMapping))
    return value.expected("a mapping of pid, ipc, uts, net, cgroup and time");
  for (const Entry& entry : value.node().entries) {
    const Value child = value.child(entry);
    const Kind* found = nullptr;
    for (const Kind* kind : kKinds)
      if (entry.key == kind->name) found = kind;
    if (found != nullptr) {
      read_in_mapping(child, *found, spec);
    } else if (entry.key == "time") {
      read_time(child, spec);
    } else if (entry.key == "user") {
      child.fail_key("unknown key; the ids of a jail are in `userns_mode`");
    } else {
      child.fail_key("unknown key; there are pid, ipc, uts, net, cgroup and time");
    }
  }
}

void read_nesting(const Value& value, ServiceSpec& spec) {
  constexpr std::int64_t kDeepest = 31;  // the kernel ends at 32. user_namespaces(7)
  keep(spec.nesting, value, value.integer(0, kDeepest, "a depth from 0 to 31"));
}

constexpr KeyRow kNamespaceKeys[] = {
    {"network_mode", read_key<kNetwork>},
    {"pid", read_key<kPid>},
    {"ipc", read_key<kIpc>},
    {"uts", read_key<kUts>},
    {"cgroup", read_key<kCgroup>},
    {"namespaces", read_namespaces},  // after those that it may contradict
    {"nesting", read_nesting},
};

}  // namespace

std::span<const KeyRow> namespace_keys() { return kNamespaceKeys; }

}  // namespace jaula::spec
