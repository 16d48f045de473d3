#include "runtime/spec/units.h"

#include <doctest/doctest.h>

#include <string>

#include "runtime/spec/shell_words.h"
#include "runtime/spec/yaml_text.h"

namespace jaula::test {

using namespace spec;
using std::chrono::milliseconds;

TEST_CASE("units: sizes are docker's, in powers of 1024") {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"1", 1},           {"64b", 64},       {"1k", 1024},         {"1kb", 1024},
      {"1KiB", 1024},     {"64m", 64 << 20}, {"64M", 64 << 20},    {"64MB", 64 << 20},
      {"1.5g", 3 << 29},  {"0.5k", 512},     {"1gib", 1ULL << 30}, {"2t", 2ULL << 40},
      {"1p", 1ULL << 50}, {".5m", 1 << 19},  {"0.0001k", 0},       {"0", 0},
  };
  for (const auto& [written, bytes] : cases) {
    const std::string text = written;
    CAPTURE(text);
    CHECK(parse_size(text) == bytes);
  }
}

TEST_CASE("units: what is no size is refused whole") {
  for (const char* text : {"",
                           "m",
                           "12q",
                           "1.m",
                           "1..5m",
                           "-1",
                           "+1",
                           "1 m",
                           " 1m",
                           "1m ",
                           "1e3",
                           "0x10",
                           "64mm",
                           "64ib",
                           "i",
                           "b",
                           "1.2.3g",
                           "18446744073709551616",
                           "99999999999999999999g",
                           "16777216t",
                           "5٣"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
  CHECK(parse_size("18446744073709551615") == UINT64_MAX);
  CHECK(parse_size("16777215.9999t").has_value());
}

TEST_CASE("units: CPUs are counted in millionths") {
  CHECK(parse_cpus("0.5") == 500'000U);
  CHECK(parse_cpus("2") == 2'000'000U);
  CHECK(parse_cpus(".25") == 250'000U);
  CHECK(parse_cpus("0.3333333333") == 333'333U);
  for (const char* text : {"", ".", "1.", "half", "-1", "1,5", "1e1", "0.5c"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_cpus(text).has_value());
  }
}

TEST_CASE("units: a percentage is one of a whole, up to 100") {
  CHECK(parse_percent("50%", 1000) == 500U);
  CHECK(parse_percent("100%", UINT64_C(1) << 62) == UINT64_C(1) << 62);
  CHECK(parse_percent("12.5%", 16) == 2U);
  CHECK(parse_percent("0%", 16) == 0U);
  for (const char* text : {"", "%", "50", "101%", "-1%", "50 %", "x%"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_percent(text, 1000).has_value());
  }
}

TEST_CASE("units: durations name their units from large to small, or are whole seconds") {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"10s", 10'000},    {"1m30s", 90'000}, {"500ms", 500},        {"1.5h", 5'400'000},
      {"1d", 86'400'000}, {"10", 10'000},    {"1h0m1s", 3'601'000}, {"0", 0},
      {"0s", 0},          {"1s500ms", 1500}, {"0.0005s", 0}};
  for (const auto& [written, count] : cases) {
    const std::string text = written;
    CAPTURE(text);
    CHECK(parse_duration(text) == milliseconds(count));
  }
  for (const char* text : {"", "s", "1x", "1s1m", "1s1s", "-1s", "1.5", "1 s", "1m 30s", "10us",
                           "99999999999d", "36526d", "18446744073709551615", "1h30"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("units: signals have names, short names and numbers") {
  const std::pair<const char*, int> cases[] = {{"SIGTERM", 15}, {"TERM", 15},    {"term", 15},
                                               {"15", 15},      {"SIGHUP", 1},   {"KILL", 9},
                                               {"SIGSYS", 31},  {"RTMIN", 34},   {"SIGRTMIN+3", 37},
                                               {"RTMAX", 64},   {"RTMAX-1", 63}, {"64", 64}};
  for (const auto& [written, number] : cases) {
    const std::string text = written;
    CAPTURE(text);
    CHECK(parse_signal(text) == number);
  }
  for (const char* text : {"", "SIG", "0", "65", "-9", "SIGFOO", "RTMIN+31", "RTMIN-1", "RTMAX+1",
                           "RTMIN+", "15 ", "SIGSIGTERM"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_signal(text).has_value());
  }
}

TEST_CASE("units: integers are those of the YAML 1.2 core schema") {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"12", 12},   {"-1", -1},   {"+7", 7},
      {"0o17", 15}, {"0x1F", 31}, {"1e3", 1000},
      {"0", 0},     {"2.0", 2},   {"9223372036854775807", INT64_MAX}};
  for (const auto& [written, number] : cases) {
    const std::string text = written;
    CAPTURE(text);
    CHECK(parse_integer(text) == number);
  }
  for (const char* text : {"", "010", "1.5", ".inf", "-.inf", ".nan", "inf", "nan", "1e99", "0x",
                           "0o8", "0x-1", "9223372036854775808", "1_000", "12 ", "yes"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_integer(text).has_value());
  }
}

TEST_CASE("units: booleans are true and false, not the words of YAML 1.1") {
  CHECK(parse_boolean("true") == true);
  CHECK(parse_boolean("FALSE") == false);
  for (const char* text : {"yes", "no", "on", "off", "y", "1", "tRUE", ""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_boolean(text).has_value());
  }
}

TEST_CASE("units: file modes are octal") {
  CHECK(parse_mode("1777") == 01777U);
  CHECK(parse_mode("0755") == 0755U);
  CHECK(parse_mode("0o700") == 0700U);
  for (const char* text : {"", "8", "10000", "-1", "rwx", "0x1ff"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_mode(text).has_value());
  }
}

TEST_CASE("units: what is printed reads back as the same value") {
  for (const std::uint64_t bytes : {UINT64_C(0), UINT64_C(1), UINT64_C(1023), UINT64_C(1024),
                                    UINT64_C(67108864), UINT64_C(1) << 50, UINT64_MAX})
    CHECK(parse_size(format_size(bytes)) == bytes);
  for (const std::uint64_t millionths : {UINT64_C(10'000), UINT64_C(500'000), UINT64_C(1'000'001)})
    CHECK(parse_cpus(format_cpus(millionths)) == millionths);
  for (const std::int64_t count : {0, 1, 999, 1000, 90'000, 5'400'001, 86'400'000})
    CHECK(parse_duration(format_duration(milliseconds(count))) == milliseconds(count));
  for (int number = 1; number <= 64; ++number) CHECK(parse_signal(format_signal(number)) == number);
  for (const unsigned mode : {0U, 07U, 0755U, 01777U}) CHECK(parse_mode(format_mode(mode)) == mode);
  CHECK(format_size(64 << 20) == "64m");
  CHECK(format_duration(milliseconds(90'500)) == "1m30s500ms");
}

TEST_CASE("shell words: quotes and backslashes group, and nothing else has a meaning") {
  using Words = std::vector<std::string>;
  CHECK(split_shell_words("httpd -f  -p 8080") == Words{"httpd", "-f", "-p", "8080"});
  CHECK(split_shell_words("echo 'a b' \"c d\" e\\ f") == Words{"echo", "a b", "c d", "e f"});
  CHECK(split_shell_words(R"(a'b'"c" "x\"y" "\n" '\n')") == Words{"abc", "x\"y", "\\n", "\\n"});
  CHECK(split_shell_words("sh -c 'echo $HOME; # no'") == Words{"sh", "-c", "echo $HOME; # no"});
  CHECK(split_shell_words("a '' \"\"") == Words{"a", "", ""});
  CHECK(split_shell_words("a \\\n b") == Words{"a", "b"});
  CHECK(split_shell_words("  ") == Words{});
  for (const char* text : {"'a", "\"a", "a\\", "a 'b\"", "\"\\\""}) {
    CAPTURE(text);
    CHECK_FALSE(split_shell_words(text).has_value());
  }
}

TEST_CASE("yaml text: a string is quoted exactly where a reader could take it for something else") {
  for (const char* text : {"busybox", "-f", "/srv/my www", "a:b", "x=1", "./rootfs", "50%",
                           "no-new-privileges:true", "1.2.3.4a", "a-b", "$(x)", "--", "..", "-a"}) {
    CAPTURE(text);
    CHECK(yaml_key(text) == text);
  }
  for (const char* text :
       {"",     "~",   "null",  "true",       "Yes", "off", "8080", "1e3",  "0x1f", "0o17", "010",
        ".inf", "-.5", "22:22", "2001-01-01", "- a", "-",   "---",  "a: b", "a:",   " a",   "a ",
        "a #b", "#",   "[",     "a,b",        "{a}", "<<",  "*a",   "&a",   "!a",   "@a",   "`a",
        "%a",   "? a", "a?b",   "'a'",        "|",   ">",   "ñ",    "=",    "0b1",  "1_000"}) {
    CAPTURE(text);
    CHECK(yaml_key(text) == '"' + std::string(text) + '"');
  }
  CHECK(yaml_key("a\"b\\c\n\t\x1b\x7f\xC2\x9B") == R"("a\"b\\c\n\t\x1b\x7f\x9b")");
  CHECK(yaml_value("a $HOME $$") == "a $$HOME $$$$");
}

}  // namespace jaula::test
