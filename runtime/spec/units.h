// The notations of values: text → number and back. Pure; knows nothing of files or hosts.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jaula::spec {

// ASCII letters alone, whatever the locale.
std::string lowered(std::string_view text);
std::string uppered(std::string_view text);

// Each parser takes the whole text or nothing.

// YAML 1.2 core: true True TRUE, and the same for false. Not `yes`, `on`, `1`.
std::optional<bool> parse_boolean(std::string_view text);
// YAML 1.2 core: 12, -1, 0o17, 0x1f, and floats that are whole (1e3). Not 010, which YAML 1.1 and
// 1.2 read differently.
std::optional<std::int64_t> parse_integer(std::string_view text);
// Whether another reader of YAML may take the plain text for something else than a string.
bool is_ambiguous_plain(std::string_view text);

// Bytes: 64m, 1.5gb, 512kib; powers of 1024 as docker has them.
std::optional<std::uint64_t> parse_size(std::string_view text);
// Millionths of a CPU: 0.5 is 500000.
std::optional<std::uint64_t> parse_cpus(std::string_view text);
// 50% of `whole`, 0% to 100%.
std::optional<std::uint64_t> parse_percent(std::string_view text, std::uint64_t whole);
// 1h30m, 1.5s, 500ms, or whole seconds without a unit; units from large to small.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// SIGTERM, TERM, 15, RTMIN+3 (the numbers of x86-64 and ARM).
std::optional<int> parse_signal(std::string_view text);
// Octal: 1777, 0755, 0o755.
std::optional<unsigned> parse_mode(std::string_view text);

// Parsing what these give returns the same number.
std::string format_size(std::uint64_t bytes);
std::string format_cpus(std::uint64_t millionths);
std::string format_duration(std::chrono::milliseconds duration);
std::string format_signal(int number);
std::string format_mode(unsigned mode);

}  // namespace jaula::spec
