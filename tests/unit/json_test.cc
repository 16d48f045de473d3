// The JSON of the state: the parser against nlohmann-json as the oracle, descriptions in both
// directions.
#include <doctest/doctest.h>
#include <errno.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "runtime/spec/json_parser.h"
#include "runtime/spec/json_reader.h"
#include "runtime/spec/json_writer.h"
#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

using namespace spec;

constexpr std::string_view kTexts[] = {R"({})",
                                       R"([])",
                                       R"("")",
                                       R"(0)",
                                       R"(-0)",
                                       R"(true)",
                                       R"(false)",
                                       R"(null)",
                                       R"( [ 1 , 2 ] )",
                                       R"({"a":{"b":[1,-2,3.5,1e3,1E-3,-0.0]},"c":"d"})",
                                       "[\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"]",
                                       R"("\"\\\/\b\f\n\r\t")",
                                       "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
                                       R"([18446744073709551615,-9223372036854775808])",
                                       "\t\n\r {\"k\" :\t[ ] }\n"};
constexpr std::string_view kBroken[] = {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[,1]",
                                        "[1 2]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{1:1}",
                                        "{\"a\" 1}",
                                        "'a'",
                                        "\"",
                                        "\"\\",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\ud800\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\udc00\"",
                                        "\"\n\"",
                                        "\"\x01\"",
                                        "01",
                                        "-",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "1e+",
                                        "-01",
                                        "0x10",
                                        "1 1",
                                        "tru",
                                        "truex",
                                        "nul",
                                        "True",
                                        "NaN",
                                        "Infinity",
                                        "[1]]",
                                        "{}{}",
                                        "//x\n1",
                                        "/**/1",
                                        "\"\x80\"",
                                        "\"\xc0\x80\"",
                                        "\"\xed\xa0\x80\"",
                                        "\"\xf4\x90\x80\x80\"",
                                        "\"\xe2\x82\"",
                                        "\"\xc3",
                                        "[1}",
                                        "{\"a\":1]"};

TEST_CASE("json: what is JSON is parsed, what is not is refused") {
  for (const std::string_view text : kTexts) {
    CAPTURE(text);
    CHECK(nlohmann::json::accept(text));
    CHECK_EQ(said(parse_json(text)), "");
  }
  for (const std::string_view text : kBroken) {
    CAPTURE(text);
    CHECK_FALSE(nlohmann::json::accept(text));
    CHECK(said(parse_json(text)).starts_with("not JSON: error at byte "));
  }
}

// nullopt: nlohmann-json stopped at a number beyond a double's range, which the grammar allows.
std::optional<bool> is_json(const std::string& text) {
  try {
    [[maybe_unused]] const nlohmann::json value = nlohmann::json::parse(text);
  } catch (const nlohmann::json::out_of_range&) {
    return std::nullopt;
  } catch (const nlohmann::json::parse_error&) {
    return false;
  }
  return true;
}

// One byte put in, changed or taken out. Not NUL: nlohmann-json takes it for the end of the text.
void damage(std::string& text, std::mt19937& random) {
  constexpr std::string_view kBytes = "{}[]\",:\\u0019-+.eE \n\x01\x7f\x80\xc3\xa9tfn";
  const std::size_t at = random() % (text.size() + 1);
  const char byte = kBytes[random() % kBytes.size()];
  const auto kind = random() % 3;
  if (kind == 0)
    text.insert(at, 1, byte);
  else if (kind == 1 && at < text.size())
    text[at] = byte;
  else
    text.erase(at, 1);
}

TEST_CASE("json: a damaged text is refused exactly when nlohmann-json refuses it") {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(kTexts[random() % std::size(kTexts)]);
    for (auto changes = random() % 3 + 1; changes > 0; --changes) damage(text, random);
    CAPTURE(text);
    if (const std::optional<bool> expected = is_json(text))
      CHECK_EQ(parse_json(text).has_value(), *expected);
  }
}

TEST_CASE("json: strings have the bytes that nlohmann-json reads") {
  for (const std::string_view text : kTexts) {
    const Result<JsonText> parsed = parse_json(text);
    REQUIRE(parsed);
    for (const JsonNode& node : parsed->nodes) {
      if (node.kind != JsonKind::kString) continue;
      const std::string mine(node.text);
      const nlohmann::json theirs = nlohmann::json::parse(text);
      CAPTURE(mine);
      CHECK(theirs.dump().find(nlohmann::json(mine).dump()) != std::string::npos);
    }
  }
}

TEST_CASE("json: depth and size are bounded") {
  const std::string deepest = std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']');
  CHECK_EQ(said(parse_json(deepest)), "");
  CHECK_EQ(said(parse_json('[' + deepest + ']')), "JSON nested deeper than 32 levels");
  CHECK_EQ(said(parse_json(std::string(kMaxJsonSize, '['))), "JSON nested deeper than 32 levels");
  const Result<JsonText> large = parse_json(std::string(kMaxJsonSize + 1, ' '));
  REQUIRE_FALSE(large);
  CHECK_EQ(large.error().code(), EFBIG);
}

struct Sample {
  bool truth = true;
  std::int32_t small = -5;
  std::uint64_t large = UINT64_MAX;
  std::string bytes;
  std::vector<std::string> words = {"a", ""};
  std::vector<Pair> pairs = {{"z", "1"}, {"a", "2"}};
};

void walk_sample(auto& json, auto& sample) {
  json.member("truth", sample.truth);
  json.member("small", sample.small);
  json.member("large", sample.large);
  json.object("inner", [&] { json.member("bytes", sample.bytes); });
  json.member("words", sample.words);
  json.member("pairs", sample.pairs);
}

std::string written(const Sample& sample) {
  JsonWriter json;
  walk_sample(json, sample);
  return std::move(json).finish();
}

Result<Sample> read_sample(const std::string& text) {
  JsonReader json = TRY(JsonReader::parse(text));
  Sample sample;
  walk_sample(json, sample);
  TRY(json.finish());
  return sample;
}

std::string with(const std::string& from, const std::string& to) {
  std::string text = written({});
  const std::size_t at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("json: what is written is read back, in any order of members") {
  const std::string text = written({});
  const Result<Sample> back = read_sample(text);
  CHECK_EQ(said(back), "");
  CHECK_EQ(written(*back), text);
  const std::string turned = R"({"pairs":{"z":"1","a":"2"},"words":["a",""],"inner":{"bytes":""},)"
                             R"("large":18446744073709551615,"small":-5,"truth":true})";
  CHECK_EQ(written(*read_sample(turned)), text);
}

TEST_CASE("json: what is wrong is said with its path") {
  const auto said_of = [](const std::string& from, const std::string& to) {
    return said(read_sample(with(from, to)));
  };
  CHECK_EQ(said_of("\"truth\":true,", ""), "truth: missing");
  CHECK_EQ(said_of("{\"bytes\":\"\"}", "{}"), "inner.bytes: missing");
  CHECK_EQ(said_of("{\"bytes\":\"\"}", "[]"), "inner: not an object");
  CHECK_EQ(said_of("\"bytes\"", "\"more\":1,\"bytes\""), "inner.more: unknown");
  CHECK_EQ(said_of("\"bytes\"", "\"bytes\":\"\",\"bytes\""), "inner.bytes: given twice");
  CHECK_EQ(said_of("\"z\"", "\"a\":\"1\",\"z\""), "pairs.a: given twice");
  CHECK_EQ(said_of("\"\"]", "null]"), "words[1]: not a string");
  CHECK_EQ(said_of("[\"a\",\"\"]", "\"a\""), "words: not a list");
  CHECK_EQ(said_of("true,", "1,"), "truth: not true or false");
  CHECK_EQ(said_of("-5", "-2147483649"), "small: out of range");
  CHECK_EQ(said_of("-5", "2147483648"), "small: out of range");
  CHECK_EQ(said_of("-5", "1.0"), "small: not an integer");
  CHECK_EQ(said_of("18446744073709551615", "18446744073709551616"), "large: not an integer");
  CHECK_EQ(said_of("18446744073709551615", "-1"), "large: out of range");
  CHECK_EQ(said_of("\"bytes\":\"\"", "\"bytes\":\"a\\u0000b\""), "inner.bytes: holds a NUL");
  CHECK_EQ(said_of("\"bytes\"", "\"\\u001b[2J\":1,\"bytes\""), "inner.\\x1b[2J: unknown");
  CHECK_EQ(said(read_sample("[]")), "not a JSON object");
}

TEST_CASE("json: every byte but NUL comes back, and the text stays JSON") {
  Sample sample;
  for (int byte = 1; byte < 256; ++byte) sample.bytes += static_cast<char>(byte);
  sample.bytes += "\xc3\xa9 \xe2\x82 \xf0\x9f\x98\x80 \xed\xa0\x80 \xc3";
  sample.pairs = {{"\xff", "\xfe"}};
  const std::string text = written(sample);
  CHECK(nlohmann::json::accept(text));
  const Result<Sample> back = read_sample(text);
  CHECK_EQ(said(back), "");
  CHECK_EQ(back->bytes, sample.bytes);
  CHECK_EQ(back->pairs, sample.pairs);
}

TEST_CASE("json: text that is UTF-8 stands in the JSON as it is") {
  Sample sample;
  sample.bytes = "jaul\xc3\xa9 \"\\\n";
  CHECK(written(sample).find("\"jaul\xc3\xa9 \\\"\\\\\\u000a\"") != std::string::npos);
}

}  // namespace
}  // namespace jaula::test
