// The key `landlock`: what the processes of a service may reach of files, TCP ports and signals.
#include <algorithm>
#include <utility>

#include "runtime/spec/service_keys.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

constexpr std::string_view kForm =
    "a mapping with exec, ro, rw, connect_tcp, bind_tcp, scopes or level";
// An entry is known by a number of 16 bits on its way through an error.
constexpr std::size_t kMostPaths = 4096;

void read_paths(const Value& list, FileAccess access, Landlock& landlock) {
  list.each_item("a list of paths in the jail", [&](const Value& value) {
    const auto text = value.text("an absolute path in the jail");
    std::optional<std::string> path = text ? jail_path(value, *text) : std::nullopt;
    if (path)
      landlock.paths.push_back(
          {.access = access, .path = *std::move(path), .origin = value.origin().text()});
  });
  if (list.node().items.size() > kMostPaths) list.fail("more than 4096 paths");
}

void read_exec(const Value& list, Landlock& landlock) {
  read_paths(list, FileAccess::kExecute, landlock);
}
void read_ro(const Value& list, Landlock& landlock) {
  read_paths(list, FileAccess::kRead, landlock);
}
void read_rw(const Value& list, Landlock& landlock) {
  read_paths(list, FileAccess::kWrite, landlock);
}

void read_connect(const Value& list, Landlock& landlock) {
  landlock.connect_tcp.emplace();
  list.each_item("a list of ports", [&](const Value& value) {
    const auto port = value.integer(1, UINT16_MAX, "a port from 1 to 65535");
    if (port) landlock.connect_tcp->push_back(static_cast<std::uint32_t>(*port));
  });
}

void read_bind(const Value& list, Landlock& landlock) {
  landlock.bind_tcp.emplace();
  list.each_item("a list of ports", [&](const Value& value) {
    const auto port = value.integer(0, UINT16_MAX,
                                    "a port from 1 to 65535, or 0 for one that the kernel chooses");
    if (port) landlock.bind_tcp->push_back(static_cast<std::uint32_t>(*port));
  });
}

void read_scopes(const Value& list, Landlock& landlock) {
  static constexpr Choice<LandlockScope> kScopes[] = {
      {"signal", LandlockScope::kSignal},
      {"abstract_unix_socket", LandlockScope::kAbstractUnixSocket}};
  list.each_item("a list of signal, abstract_unix_socket", [&](const Value& value) {
    const auto scope = one_of(value, kScopes, "signal or abstract_unix_socket");
    auto& scopes = landlock.scopes;
    if (scope && std::find(scopes.begin(), scopes.end(), *scope) == scopes.end())
      scopes.push_back(*scope);
  });
}

struct Row {
  std::string_view name;
  void (*read)(const Value& list, Landlock& landlock);
};
constexpr Row kRows[] = {{"exec", read_exec},     {"ro", read_ro},
                         {"rw", read_rw},         {"connect_tcp", read_connect},
                         {"bind_tcp", read_bind}, {"scopes", read_scopes}};
constexpr std::string_view kNames[] = {"exec",     "ro",     "rw",   "connect_tcp",
                                       "bind_tcp", "scopes", "level"};

void read_entry(const Value& value, std::string_view name, Landlock& landlock, ServiceSpec& spec) {
  static constexpr Choice<LandlockLevel> kLevels[] = {{"require", LandlockLevel::kRequire},
                                                      {"prefer", LandlockLevel::kPrefer}};
  if (name == "level")
    return keep(spec.landlock_level, value, one_of(value, kLevels, "require or prefer"));
  for (const Row& row : kRows)
    if (row.name == name) return row.read(value, landlock);
  value.fail_key("unknown key" + value.context().did_you_mean(name, kNames));
}

// Whether the entry is there and lists something, rightly or not.
bool lists(const Node& landlock, std::string_view name) {
  const Node* node = landlock.find(name);
  if (node == nullptr || node->kind == Node::Kind::kNull) return false;
  return node->kind != Node::Kind::kSequence || !node->items.empty();
}

// What nobody can have meant, though each word of it is right.
void check(const Value& value, const Landlock& landlock) {
  const Node& node = value.node();
  const bool files =
      node.find("exec") != nullptr || node.find("ro") != nullptr || node.find("rw") != nullptr;
  if (files && !lists(node, "exec"))
    return value.fail("`exec` lists nothing, and then not even the command can be executed");
  if (!files && !landlock.connect_tcp && !landlock.bind_tcp && !lists(node, "scopes"))
    value.fail(
        "asks for nothing: give `exec` (with `ro` and `rw`), `connect_tcp`, `bind_tcp` or "
        "`scopes`");
}

}  // namespace

void read_landlock(const Value& value, ServiceSpec& spec) {
  if (!value.is(Node::Kind::kMapping)) return value.expected(kForm);
  Landlock landlock;
  for (const Entry& entry : value.node().entries)
    read_entry(value.child(entry), entry.key, landlock, spec);
  check(value, landlock);
  keep(spec.landlock, value, std::optional(std::move(landlock)));
}

}  // namespace jaula::spec
