// Keys about the walls of a jail: privileges, kernel knobs, ids, the filter.
#include <algorithm>
#include <map>
#include <utility>

#include "runtime/base/text.h"
#include "runtime/spec/capability_names.h"
#include "runtime/spec/seccomp_reader.h"
#include "runtime/spec/service_keys.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

// --- capabilities

void read_capabilities(const Value& list, std::vector<Sourced<std::string>>& names) {
  list.each_item("a list of capabilities", [&](const Value& value) {
    const auto text = value.text("a capability such as NET_ADMIN, or ALL");
    if (!text) return;
    std::string name = uppered(*text);
    if (name.starts_with("CAP_")) name.erase(0, 4);
    if (name != "ALL" && !is_capability(name))
      return value.fail("unknown capability \"" + clipped(*text) + '"' +
                        value.context().did_you_mean(name, kCapabilityNames));
    names.push_back({name == "ALL" ? name : "CAP_" + name, value.origin()});
  });
}

void read_cap_add(const Value& value, ServiceSpec& spec) { read_capabilities(value, spec.cap_add); }
void read_cap_drop(const Value& value, ServiceSpec& spec) {
  read_capabilities(value, spec.cap_drop);
}

// --- privileged, personality, core_scheduling

void read_privileged(const Value& value, ServiceSpec& spec) {
  keep(spec.privileged, value, value.boolean());
}

void read_personality(const Value& value, ServiceSpec& spec) {
  static constexpr Choice<Personality> kPersonalities[] = {{"linux", Personality::kLinux},
                                                           {"linux32", Personality::kLinux32}};
  keep(spec.personality, value, one_of(value, kPersonalities, "linux or linux32"));
}

void read_core_scheduling(const Value& value, ServiceSpec& spec) {
  keep(spec.core_scheduling, value, value.boolean());
}

// --- sysctls

bool is_sysctl_name(std::string_view name) {
  constexpr std::size_t kLongest = 255;
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
           c == '/';
  };
  return !name.empty() && name.size() <= kLongest && name.front() != '.' && name.front() != '/' &&
         name.back() != '.' && name.back() != '/' && name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), in_name);
}

void read_sysctls(const Value& sysctls, ServiceSpec& spec) {
  std::map<std::string, std::size_t, std::less<>> index;
  sysctls.each_pair(
      "a mapping or a list of NAME=value",
      [&](std::string_view name, std::optional<std::string> text, const Value& value) {
        if (!is_sysctl_name(name))
          return value.fail_key("\"" + clipped(name) + "\" is not a sysctl's name");
        if (!text || text->empty()) return value.expected("a value");
        if (text->find('\n') != std::string::npos)
          return value.fail("a newline in a sysctl's value");
        const auto [found, added] = index.emplace(std::string(name), spec.sysctls.size());
        Sourced<std::pair<std::string, std::string>> sysctl{{std::string(name), *std::move(text)},
                                                            value.origin()};
        if (added)
          spec.sysctls.push_back(std::move(sysctl));
        else
          spec.sysctls[found->second] = std::move(sysctl);
      });
}

// --- ids

std::optional<IdMapEntry> parse_id_map_entry(std::string_view text) {
  constexpr std::uint64_t kEnd = UINT32_MAX;  // the id -1 is never mapped
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() != 3) return std::nullopt;
  const auto inside = parse_decimal(parts[0], kEnd);
  const auto outside = parse_decimal(parts[1], kEnd);
  const auto count = parse_decimal(parts[2], kEnd);
  if (!inside || !outside || !count || *count == 0) return std::nullopt;
  if (*inside + *count > kEnd || *outside + *count > kEnd) return std::nullopt;
  return IdMapEntry{static_cast<std::uint32_t>(*inside), static_cast<std::uint32_t>(*outside),
                    static_cast<std::uint32_t>(*count)};
}

bool ranges_overlap(std::vector<IdMapEntry> map, std::uint32_t IdMapEntry::*start) {
  std::sort(map.begin(), map.end(),
            [&](const IdMapEntry& a, const IdMapEntry& b) { return a.*start < b.*start; });
  return std::adjacent_find(map.begin(), map.end(), [&](const IdMapEntry& a, const IdMapEntry& b) {
           return a.*start + a.count > b.*start;
         }) != map.end();
}

void read_id_map(const Value& list, std::vector<IdMapEntry>& map) {
  constexpr std::size_t kMostLines = 340;  // user_namespaces(7)
  list.each_item("a list of INSIDE:OUTSIDE:COUNT", [&](const Value& value) {
    const auto text = value.text("INSIDE:OUTSIDE:COUNT");
    if (!text) return;
    const auto entry = parse_id_map_entry(*text);
    if (!entry) return value.expected("INSIDE:OUTSIDE:COUNT, ids below 4294967295");
    map.push_back(*entry);
  });
  if (list.node().items.empty()) return list.expected("a list of INSIDE:OUTSIDE:COUNT");
  if (map.size() > kMostLines) return list.fail("more than 340 ranges");
  if (ranges_overlap(map, &IdMapEntry::inside) || ranges_overlap(map, &IdMapEntry::outside))
    list.fail("ranges overlap");
}

void read_userns_map(const Value& value, ServiceSpec& spec) {
  UserNamespace userns{.mode = UserNamespace::Mode::kMap, .uid_map = {}, .gid_map = {}};
  for (const Entry& entry : value.node().entries) {
    if (entry.key == "uid")
      read_id_map(value.child(entry), userns.uid_map);
    else if (entry.key == "gid")
      read_id_map(value.child(entry), userns.gid_map);
    else
      value.child(entry).fail_key("unknown key");
  }
  if (value.node().find("uid") == nullptr || value.node().find("gid") == nullptr)
    return value.fail("needs `uid` and `gid`, each a list of INSIDE:OUTSIDE:COUNT");
  keep(spec.userns_mode, value, std::optional(std::move(userns)));
}

void read_userns_mode(const Value& value, ServiceSpec& spec) {
  using Mode = UserNamespace::Mode;
  static constexpr Choice<Mode> kModes[] = {
      {"auto", Mode::kAuto}, {"host", Mode::kHost}, {"keep-id", Mode::kKeepId}};
  if (value.is(Node::Kind::kMapping)) return read_userns_map(value, spec);
  const auto mode = one_of(value, kModes, "auto, host, keep-id or {uid: [...], gid: [...]}");
  if (mode) spec.userns_mode = {UserNamespace{*mode, {}, {}}, value.origin()};
}

// --- require

void read_require(const Value& list, ServiceSpec& spec) {
  static constexpr Choice<Layer> kLayers[] = {{"cgroup", Layer::kCgroup},
                                              {"seccomp", Layer::kSeccomp},
                                              {"landlock", Layer::kLandlock},
                                              {"userns", Layer::kUserns}};
  constexpr std::string_view kWhat = "all, or a list of cgroup, seccomp, landlock, userns";
  std::vector<Layer> layers;
  if (list.is(Node::Kind::kScalar) && list.node().text == "all") {
    layers = {Layer::kCgroup, Layer::kSeccomp, Layer::kLandlock, Layer::kUserns};
  } else if (list.is(Node::Kind::kSequence)) {
    list.each_item(kWhat, [&](const Value& value) {
      const auto layer = one_of(value, kLayers, "cgroup, seccomp, landlock or userns");
      if (layer && std::find(layers.begin(), layers.end(), *layer) == layers.end())
        layers.push_back(*layer);
    });
  } else {
    return list.expected(kWhat);
  }
  keep(spec.require, list, std::optional(std::move(layers)));
}

constexpr KeyRow kIsolationKeys[] = {
    {"cap_add", read_cap_add},
    {"cap_drop", read_cap_drop},
    {"privileged", read_privileged},
    {"security_opt", read_security_opt},
    {"mask", read_mask},
    {"readonly_paths", read_readonly_paths},
    {"seccomp", read_seccomp},  // after security_opt, whose word it may contradict
    {"sysctls", read_sysctls},
    {"userns_mode", read_userns_mode},
    {"require", read_require},
    {"landlock", read_landlock},
    {"personality", read_personality},
    {"core_scheduling", read_core_scheduling},
};

}  // namespace

std::span<const KeyRow> isolation_keys() { return kIsolationKeys; }

}  // namespace jaula::spec
