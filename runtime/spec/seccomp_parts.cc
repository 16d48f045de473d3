#include "runtime/spec/seccomp_parts.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "runtime/spec/capability_names.h"
#include "runtime/spec/seccomp_names.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

// libseccomp's names in `architectures`, and Go's in `includes` and `excludes`.
constexpr std::string_view kArchitectures[] = {
    "SCMP_ARCH_NATIVE",      "SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",         "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",         "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",       "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB"};
constexpr std::string_view kGoArchitectures[] = {
    "amd64",  "x86",      "x32",         "arm",     "arm64",       "mips",    "mips64", "mips64n32",
    "mipsel", "mipsel64", "mipsel64n32", "ppc",     "ppc64",       "ppc64le", "s390",   "s390x",
    "parisc", "parisc64", "riscv64",     "loong64", "loongarch64", "m68k",    "sh",     "sheb"};
constexpr std::string_view kOurArchitecture = "amd64";

void read_argument(const JsonDocument& json, const JsonNode& node, SeccompRule& rule) {
  static constexpr std::string_view kArgumentKeys[] = {"index", "value", "valueTwo", "op"};
  SeccompArgument argument;
  bool has_index = false;
  bool has_value = false;
  bool has_operator = false;
  json.each_member(node, kArgumentKeys, [&](const JsonNode& member) {
    if (member.key == "index") {
      const auto index = json.number(member, kSeccompArguments - 1);
      argument.index = static_cast<std::uint32_t>(index.value_or(0));
      has_index = true;
    } else if (member.key == "op") {
      has_operator = true;
      const auto word = json.text(member, "an operator such as SCMP_CMP_EQ");
      const auto known = word ? find_word(kSeccompOperators, *word) : std::nullopt;
      if (word && !known) {
        std::vector<std::string_view> words;
        for (const auto& other : kSeccompOperators) words.push_back(other.text);
        json.fail(member, "unknown operator \"" + clipped(*word) + '"' + meant(*word, words));
      }
      argument.op = known.value_or(SeccompOperator::kEqual);
    } else {
      const auto value = json.number(member, UINT64_MAX);
      (member.key == "value" ? argument.value : argument.value_two) = value.value_or(0);
      has_value = has_value || member.key == "value";
    }
  });
  if (node.kind != JsonKind::kObject) return;
  if (!has_index || !has_value || !has_operator)
    return json.fail(node, "needs `index`, `value` and `op`");
  if (std::ranges::find(rule.args, argument.index, &SeccompArgument::index) != rule.args.end())
    json.warn(node, "a second condition on argument " + std::to_string(argument.index) +
                        ": both must hold here; for docker one is enough");
  rule.args.push_back(argument);
}

std::uint64_t read_capabilities(const JsonDocument& json, const JsonNode& list) {
  std::uint64_t mask = 0;
  json.each_item(list, "a list of capabilities", [&](const JsonNode& node) {
    const auto text = json.text(node, "a capability such as CAP_NET_ADMIN");
    if (!text) return;
    std::string name = uppered(*text);
    if (name.starts_with("CAP_")) name.erase(0, 4);
    const auto* found = std::ranges::find(kCapabilityNames, name);
    if (found == kCapabilityNames.end())
      return json.fail(
          node, "unknown capability \"" + clipped(*text) + '"' + meant(name, kCapabilityNames));
    mask |= std::uint64_t{1} << (found - kCapabilityNames.begin());
  });
  return mask;
}

// Whether ours is among them; nothing when none is named.
std::optional<bool> names_architecture(const JsonDocument& json, const JsonNode& list) {
  std::optional<bool> ours;
  json.each_item(list, "a list of architectures", [&](const JsonNode& word) {
    const auto name = json.text(word, "an architecture such as amd64");
    if (name && std::ranges::find(kGoArchitectures, *name) == std::end(kGoArchitectures))
      json.fail(word,
                "unknown architecture \"" + clipped(*name) + '"' + meant(*name, kGoArchitectures));
    ours = ours.value_or(false) || (name && *name == kOurArchitecture);
  });
  return ours;
}

}  // namespace

void read_architectures(const JsonDocument& json, const JsonNode& list) {
  bool any = false;
  bool ours = false;
  json.each_item(list, "a list of architectures", [&](const JsonNode& node) {
    const auto name = json.text(node, "an architecture such as SCMP_ARCH_X86_64");
    if (!name) return;
    if (std::ranges::find(kArchitectures, *name) == std::end(kArchitectures))
      json.fail(node,
                "unknown architecture \"" + clipped(*name) + '"' + meant(*name, kArchitectures));
    any = true;
    ours = ours || *name == "SCMP_ARCH_X86_64" || *name == "SCMP_ARCH_NATIVE";
  });
  if (any && !ours) json.fail(list, "the profile is not for SCMP_ARCH_X86_64");
}

// Only which other architectures go with one is said here, and those are never let in.
void read_architecture_map(const JsonDocument& json, const JsonNode& list) {
  static constexpr std::string_view kMapKeys[] = {"architecture", "subArchitectures"};
  json.each_item(list, "a list of architectures", [&](const JsonNode& entry) {
    json.each_member(entry, kMapKeys, [&](const JsonNode& node) {
      const auto check = [&](const JsonNode& word) {
        const auto name = json.text(word, "an architecture such as SCMP_ARCH_X86_64");
        if (name && std::ranges::find(kArchitectures, *name) == std::end(kArchitectures))
          json.fail(word, "unknown architecture \"" + clipped(*name) + '"' +
                              meant(*name, kArchitectures));
      };
      if (node.key == "architecture")
        check(node);
      else
        json.each_item(node, "a list of architectures", check);
    });
  });
}

void read_arguments(const JsonDocument& json, const JsonNode& list, SeccompRule& rule) {
  json.each_item(list, "a list of conditions",
                 [&](const JsonNode& node) { read_argument(json, node, rule); });
}

bool read_filter(const FilterContext& context, const JsonNode& node, SeccompFileRule& out) {
  const JsonDocument& json = context.json;
  const bool included = context.included;
  static constexpr std::string_view kFilterKeys[] = {"caps", "arches", "minKernel"};
  bool there = true;
  json.each_member(node, kFilterKeys, [&](const JsonNode& member) {
    if (member.key == "caps") {
      (included ? out.needs : out.without) = read_capabilities(json, member);
    } else if (member.key == "arches") {
      if (names_architecture(json, member) == !included) there = false;
    } else if (const auto text = json.text(member, "a version such as 4.8")) {
      const KernelVersion wanted = parse_kernel_version(*text);
      if (wanted == KernelVersion{}) return json.fail(member, "expected a version such as 4.8");
      if ((context.kernel >= wanted) != included) there = false;
    }
  });
  return there;
}

KernelVersion parse_kernel_version(std::string_view text) {
  KernelVersion version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc{} || major.ptr == end || *major.ptr != '.') return {};
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  return minor.ec == std::errc{} ? version : KernelVersion{};
}

}  // namespace jaula::spec
