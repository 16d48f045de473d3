// Keys about how much a service may use.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/spec/service_keys.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

std::uint64_t host_memory() {
  return static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES))) *
         static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
}

std::uint64_t host_cpus() {  // in millionths
  return static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN))) * 1'000'000;
}

void read_mem_limit(const Value& value, ServiceSpec& spec) {
  constexpr std::string_view kWhat = "a size such as 64m";
  // A process cannot even be started in less; most such sizes lack their unit.
  constexpr std::uint64_t kSmallest = std::uint64_t{256} << 10;
  const auto text = value.text(kWhat);
  if (!text) return;
  const auto size = text->ends_with('%') ? parse_percent(*text, host_memory()) : parse_size(*text);
  if (!size || *size > INT64_MAX) return value.expected(kWhat);
  if (*size < kSmallest) return value.expected("a size of at least 256k, such as 64m");
  keep(spec.mem_limit, value, size);
}

void read_cpus(const Value& value, ServiceSpec& spec) {
  constexpr std::string_view kWhat = "a number of CPUs such as 0.5";
  constexpr std::uint64_t kSmallest = 10'000;  // 1 ms in a period of 100 ms, cpu.max's least
  constexpr std::uint64_t kLargest = 8192ULL * 1'000'000;  // NR_CPUS
  const auto text = value.text(kWhat);
  if (!text) return;
  const auto cpus = text->ends_with('%') ? parse_percent(*text, host_cpus()) : parse_cpus(*text);
  if (!cpus) return value.expected(kWhat);
  if (*cpus < kSmallest || *cpus > kLargest)
    return value.expected("a number of CPUs from 0.01 to 8192");
  keep(spec.cpus, value, cpus);
}

void read_cpu_shares(const Value& value, ServiceSpec& spec) {
  const auto shares = value.integer(2, 262144, "a whole number from 2 to 262144");
  if (shares) keep(spec.cpu_shares, value, std::optional(static_cast<std::uint64_t>(*shares)));
}

void read_pids_limit(const Value& value, ServiceSpec& spec) {
  constexpr std::int64_t kPidMaxLimit = 4194304;  // of the kernel
  constexpr std::string_view kWhat = "a whole number from 1 to 4194304, or -1 for no limit";
  const auto limit = value.integer(-1, kPidMaxLimit, kWhat);
  if (limit == 0) return value.expected(kWhat);
  keep(spec.pids_limit, value, limit);
}

void read_shm_size(const Value& value, ServiceSpec& spec) {
  // A tmpfs of size 0 is one without a limit.
  constexpr std::string_view kWhat = "a size of at least 4k, such as 64m";
  constexpr std::uint64_t kSmallest = 4096;
  const auto text = value.text(kWhat);
  if (!text) return;
  const auto size = parse_size(*text);
  if (!size || *size < kSmallest || *size > INT64_MAX) return value.expected(kWhat);
  keep(spec.shm_size, value, size);
}

void read_oom_score_adj(const Value& value, ServiceSpec& spec) {
  keep(spec.oom_score_adj, value, value.integer(-1000, 1000, "a whole number from -1000 to 1000"));
}

constexpr std::array<std::string_view, 15> kUlimits = {
    "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
    "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};

std::optional<std::uint64_t> parse_ulimit(std::string_view text) {
  if (text == "-1" || text == "unlimited") return UINT64_MAX;
  const auto number = parse_integer(text);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

// N, SOFT:HARD as docker's flag has it, or {soft: N, hard: N}
std::optional<std::pair<std::uint64_t, std::uint64_t>> read_limits(const Value& value,
                                                                   std::string_view text) {
  constexpr std::string_view kWhat = "a number, SOFT:HARD or {soft: N, hard: N} (-1: unlimited)";
  const std::size_t colon = text.find(':');
  const auto soft = parse_ulimit(text.substr(0, colon));
  const auto hard = colon == std::string_view::npos ? soft : parse_ulimit(text.substr(colon + 1));
  if (!soft || !hard) return value.expected(kWhat), std::nullopt;
  if (*soft <= *hard) return std::pair(*soft, *hard);
  value.fail("the soft limit is above the hard one");
  return std::nullopt;
}

std::optional<std::string> limits_of_mapping(const Value& value) {
  std::string soft;
  std::string hard;
  for (const Entry& entry : value.node().entries) {
    if (entry.key != "soft" && entry.key != "hard")
      return value.child(entry).fail_key("unknown key"), std::nullopt;
    const auto text = value.child(entry).text("a number (-1: unlimited)");
    if (!text) return std::nullopt;
    (entry.key == "soft" ? soft : hard) = *text;
  }
  if (!soft.empty() && !hard.empty()) return soft + ':' + hard;
  value.fail("needs both `soft` and `hard`");
  return std::nullopt;
}

void add_ulimit(const Value& value, std::string_view name, std::string_view text,
                ServiceSpec& spec) {
  if (std::find(kUlimits.begin(), kUlimits.end(), name) == kUlimits.end())
    return value.fail_key("unknown ulimit `" + clipped(name) + '`' +
                          value.context().did_you_mean(name, kUlimits));
  const auto limits = read_limits(value, text);
  if (!limits) return;
  std::erase_if(spec.ulimits, [&](const Ulimit& other) { return other.name == name; });
  spec.ulimits.push_back({std::string(name), limits->first, limits->second, value.origin()});
}

void read_ulimits(const Value& ulimits, ServiceSpec& spec) {
  if (!ulimits.is(Node::Kind::kMapping))
    return ulimits.each_pair(
        "a mapping of limits",
        [&](std::string_view name, const std::optional<std::string>& text, const Value& value) {
          add_ulimit(value, name, text.value_or(""), spec);
        });
  for (const Entry& entry : ulimits.node().entries) {
    const Value value = ulimits.child(entry);
    const auto text =
        value.is(Node::Kind::kMapping) ? limits_of_mapping(value) : value.text("a number");
    if (text) add_ulimit(value, entry.key, *text, spec);
  }
}

constexpr KeyRow kResourceKeys[] = {
    {"mem_limit", read_mem_limit},
    {"cpus", read_cpus},
    {"cpu_shares", read_cpu_shares},
    {"pids_limit", read_pids_limit},
    {"ulimits", read_ulimits},
    {"shm_size", read_shm_size},
    {"oom_score_adj", read_oom_score_adj},
};

}  // namespace

std::span<const KeyRow> resource_keys() { return kResourceKeys; }

}  // namespace jaula::spec
