#include "runtime/spec/document.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <chrono>
#include <string>

#include "runtime/spec/characters.h"
#include "runtime/spec/interpolate.h"

namespace jaula::test {

using namespace spec;

// The tree on one line: kinds, texts, and ' for what is not plain.
std::string shown(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::kNull:
      return "~";
    case Node::Kind::kScalar:
      return node.plain ? node.text : "'" + node.text + "'";
    case Node::Kind::kSequence:
      for (const Node& item : node.items) text += (text.empty() ? "" : " ") + shown(item);
      return "[" + text + "]";
    case Node::Kind::kMapping:
      for (const Entry& entry : node.entries)
        text += (text.empty() ? "" : " ") + entry.key + "=" + shown(entry.value);
      return "{" + text + "}";
  }
  return text;
}

std::string shown(const Misread& error) {
  return std::to_string(error.place.line) + ':' + std::to_string(error.place.column) + ": " +
         error.text;
}

// The tree, or the errors.
std::string parsed(std::string_view text) {
  const Document document = parse_document(text);
  std::string errors;
  for (const Misread& error : document.errors)
    errors += (errors.empty() ? "" : "\n") + shown(error);
  return errors.empty() ? shown(document.root) : errors;
}

std::string repeated(std::string_view part, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += part;
  return text;
}

TEST_CASE("document: plain, quoted and block scalars keep their text and their kind") {
  CHECK(parsed("a: b\nc: 'd'\ne: \"f\\tg\"") == "{a=b c='d' e='f\tg'}");
  CHECK(parsed("a: |\n  x\n  y\nb: >-\n  x\n  y\n") == "{a='x\ny\n' b='x y'}");
  CHECK(parsed("[yes, 22:22, 0o17, 1e3, .inf, true]") == "[yes 22:22 0o17 1e3 .inf true]");
  CHECK(parsed("a:\nb: ~\nc: null\nd: ''") == "{a=~ b=~ c=~ d=''}");
  CHECK(parsed("- [a, {b: c}]\n- - d\n- e: []\n  f: {}\n") == "[[a {b=c}] [d] {e=[] f={}}]");
}

TEST_CASE("document: core tags are honoured, others are refused") {
  CHECK(parsed("a: !!str 12\nb: !!int \"12\"\nc: ! x\nd: !!null ''\ne: !!map {}\nf: !!seq []") ==
        "{a='12' b=12 c='x' d=~ e={} f=[]}");
  CHECK(parsed("a: !!binary eA==") == "1:4: unsupported tag `tag:yaml.org,2002:binary`");
  CHECK(parsed("a: !env X") == "1:4: unsupported tag `!env`");
  CHECK(parsed("a: !!set {x}") == "1:4: unsupported tag `tag:yaml.org,2002:set`");
  CHECK(parsed("a: !!map []") == "1:4: unsupported tag `tag:yaml.org,2002:map`");
}

TEST_CASE("document: places count lines and characters, not bytes") {
  const Document document =
      parse_document("título: año\n\"ñ\": {ü: \"é\", z: [1, dos]}\r\nx:\n  y:\n");
  REQUIRE(document.errors.empty());
  const auto place = [](const Place& p) {
    return std::to_string(p.line) + ':' + std::to_string(p.column);
  };
  const auto& entries = document.root.entries;
  CHECK(place(entries[0].value.place) == "1:9");
  CHECK(place(entries[1].place) == "2:1");
  CHECK(place(entries[1].value.entries[1].place) == "2:15");
  CHECK(place(entries[1].value.entries[1].value.items[1].place) == "2:22");
  CHECK(place(entries[2].value.entries[0].value.place) == "4:3");
}

TEST_CASE("document: aliases and merge keys are expanded, and what is there already wins") {
  CHECK(parsed("a: &x {k: 1}\nb: *x\nc: [*x, *x]") == "{a={k=1} b={k=1} c=[{k=1} {k=1}]}");
  CHECK(parsed("a: &x {k: 1, l: 2}\nb:\n  k: 3\n  <<: *x") == "{a={k=1 l=2} b={k=3 l=2}}");
  CHECK(parsed("a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}") ==
        "{a={k=1} b={k=2 m=3} c={k=1 m=3}}");
  CHECK(parsed("a: &x {k: 1}\nb: &y {<<: *x, l: 2}\nc: {<<: *y}") ==
        "{a={k=1} b={l=2 k=1} c={l=2 k=1}}");
  CHECK(parsed("\"<<\": {k: 1}") == "{<<={k=1}}");
  CHECK(parsed("a: {<<: 3}") == "1:9: `<<` takes a mapping or a list of mappings");
  CHECK(parsed("a: &a 1\nb: &a 2\nc: *a") == "{a=1 b=2 c=2}");
  CHECK(parsed("a: &a [x, *a]") == "1:11: an alias inside what it stands for");
  CHECK(parsed("a: *b").starts_with("1:4: not valid YAML: "));
}

TEST_CASE("document: a duplicate key is an error at the second one, and all are reported") {
  CHECK(parsed("a: 1\nb: {c: 1, c: 2}\n\"a\": 3\n") ==
        "2:11: key `c` is already given at line 2\n3:1: key `a` is already given at line 1");
  CHECK(parsed("a: {<<: {}, <<: {}}") == "1:13: key `<<` is already given at line 1");
  CHECK(parsed("? [a]\n: b") == "1:3: a key must be a string");
  CHECK(parsed("~: b") == "1:1: a key must be a string");
}

TEST_CASE("document: bytes that YAML does not allow are errors where they stand") {
  using namespace std::string_view_literals;
  CHECK(parsed("a: b\nc: \0"sv) == "2:4: a NUL byte");
  CHECK(parsed("a: \"\\0\"") == "1:4: a NUL character");
  CHECK(parsed("a: \"\\N\"") ==
        "1:4: an escape that gives no valid UTF-8; write the character itself");
  CHECK(parsed("a: \x1b[0m") == "1:4: a control character");
  CHECK(parsed("a: 1\x04\nb: 2") == "1:5: a control character");
  CHECK(parsed("a: 1\rb: 2") == "1:5: a carriage return without a newline");
  CHECK(parsed("ñ: \xC3(") == "1:4: invalid UTF-8");
  CHECK(parsed("a: \xE0\x80\x80") == "1:4: invalid UTF-8");
  CHECK(parsed("a: \xED\xA0\x80") == "1:4: invalid UTF-8");
  CHECK(parsed("a: \xF4\x90\x80\x80") == "1:4: invalid UTF-8");
  CHECK(parsed("a: \xF0\x9F\x98") == "1:4: invalid UTF-8");
  CHECK(parsed("\xFF\xFE"
               "a") == "1:1: invalid UTF-8");
  CHECK(parsed("\xEF\xBB\xBF"
               "a: \xF0\x9F\x98\x80\r\nb: 1\r\n") == "{a=\xF0\x9F\x98\x80 b=1}");
}

TEST_CASE("document: a text is one document") {
  CHECK(parsed("---\na: 1\n...\n") == "{a=1}");
  CHECK(parsed("a: 1\n---\nb: 2\n") == "2:1: a spec is one YAML document; another starts here");
  CHECK(parsed("--- a\n--- b\n") == "2:1: a spec is one YAML document; another starts here");
  CHECK(parsed("") == "~");
  CHECK(parsed("# only a comment\n") == "~");
}

TEST_CASE("document: YAML that is none says what the hand did") {
  CHECK(parsed("a: [b") == "1:4: not valid YAML: a `[` is not closed");
  CHECK(parsed("a: {b") == "1:4: not valid YAML: a `{` is not closed");
  CHECK(
      parsed("a: b: c") ==
      "1:5: not valid YAML: a `:` that makes no key here; quote the value or fix the indentation");
  CHECK(parsed("a: 'b") == "1:6: not valid YAML: a quote is not closed");
  CHECK(parsed("a: @b") ==
        "1:4: not valid YAML: no value begins with this character; quote the value");
}

TEST_CASE("document: depth, size and expansion are bounded") {
  CHECK(parsed(repeated("[", 64) + repeated("]", 64)).starts_with("[["));
  CHECK(parsed(repeated("[", 65) + repeated("]", 65)) == "1:65: nested more than 64 levels deep");
  CHECK(parsed("a: &a " + repeated("[", 40) + repeated("]", 40) + "\nb: " + repeated("[", 40) +
               "*a" + repeated("]", 40)) == "2:44: nested more than 64 levels deep");
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name < 'z'; ++name) {
    std::string alias = "*";
    alias += static_cast<char>(name - 1);
    bomb.append({name, ':', ' ', '&', name, ' ', '['});
    bomb.append(repeated(alias + ", ", 8)).append(alias).append("]\n");
  }
  CHECK(parsed(bomb) == "6:8: more than 100000 nodes or 4 MiB of text, with aliases expanded");
  const std::string wide =
      "a: &a " + repeated("x", 100'000) + "\nb: [" + repeated("*a, ", 50) + "]";
  CHECK(parsed(wide).ends_with("more than 100000 nodes or 4 MiB of text, with aliases expanded"));
  CHECK(parsed(repeated("- a\n", 100'001)).starts_with("100000:3: more than 100000 nodes"));
}

struct Variable {  // of the environment, for as long as a test needs it
  explicit Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  const char* name_;
};

// The text with its variables expanded, or the error.
std::string expanded(std::string_view text, const Variables& variables = Variables()) {
  const Interpolation result = interpolate(text, variables, kMaxTextBytes);
  return result.error.empty() ? result.text : "error: " + result.error;
}

TEST_CASE("interpolation: every form of a variable, set, empty and unset") {
  const Variable set("JT_SET", "v");
  const Variable empty("JT_EMPTY", "");
  const std::pair<const char*, const char*> cases[] = {
      {"$JT_SET ${JT_SET}x", "v vx"},
      {"${JT_SET:-d} ${JT_SET-d} ${JT_SET:+r} ${JT_SET+r}", "v v r r"},
      {"${JT_EMPTY:-d} ${JT_EMPTY-d} ${JT_EMPTY:+r} ${JT_EMPTY+r}", "d   r"},
      {"${JT_NO:-d} ${JT_NO-d} ${JT_NO:+r} ${JT_NO+r}", "d d  "},
      {"${JT_SET:?m} ${JT_EMPTY?m}", "v "},
      {"$$JT_SET $${JT_SET} $$$JT_SET", "$JT_SET ${JT_SET} $v"},
      {"${JT_NO:-a ${JT_NO:-b ${JT_SET}}} c", "a b v c"},
      {"${JT_NO:-{\"k\": {}}}", "{\"k\": {}}"},
      {"${JT_NO:-$$x}", "$x"},
      {"$JT_SET.$JT_SET-x", "v.v-x"},
      {"", ""},
  };
  for (const auto& [written, value] : cases) {
    const std::string text = written;
    CAPTURE(text);
    CHECK(expanded(text) == value);
  }
  CHECK(expanded("${JT_NO:?is needed}") ==
        "error: required variable `JT_NO` is not set: is needed");
  CHECK(expanded("${JT_EMPTY:?}") == "error: required variable `JT_EMPTY` is not set");
}

TEST_CASE("interpolation: what is no variable is an error that shows how to write it") {
  for (const char* text : {"$", "a $ b", "$1", "$-", "100$"}) {
    CAPTURE(text);
    CHECK(expanded(text) == "error: a lone `$`; write `$$` for a dollar sign");
  }
  CHECK(expanded("${A") == "error: `${` without `}`; write `$$` for a dollar sign");
  for (const char* text : {"${}", "${1}", "${A B}", "${A:}", "${A:=x}", "${A/x/y}", "${-x}"}) {
    CAPTURE(text);
    CHECK(expanded(text).starts_with("error: cannot read `$"));
  }
}

TEST_CASE("interpolation: nesting, size and bytes of the values are bounded") {
  CHECK(expanded(repeated("${JT_NO:-", 16) + "x" + repeated("}", 16)) == "x");
  CHECK(expanded(repeated("${JT_NO:-", 18) + "x" + repeated("}", 18)) ==
        "error: defaults nested more than 16 deep");
  const Variable large("JT_LARGE", repeated("x", 100'000).c_str());
  CHECK(expanded(repeated("$JT_LARGE", 50)) ==
        "error: variables expand to more than 4 MiB of text");
  const Variable latin("JT_LATIN", "\xE9");
  CHECK(expanded("$JT_LATIN") == "error: a variable's value is not valid UTF-8");
}

TEST_CASE("interpolation: unset variables are empty and named; defaults are not") {
  const Interpolation result = interpolate("$JT_A ${JT_B} ${JT_C:-} ${JT_D-}", Variables(), 100);
  CHECK(result.text == "   ");
  CHECK(result.unset == std::vector<std::string>{"JT_A", "JT_B"});
}

TEST_CASE("interpolation: the environment wins over what files define") {
  const Variable set("JT_SET", "env");
  Variables variables;
  variables.set("JT_SET", "file");
  variables.set("JT_OTHER", "file");
  CHECK(expanded("$JT_SET $JT_OTHER", variables) == "env file");
}

// NAME=value lines, `-` for a name without a value, and the errors.
std::string env_shown(std::string_view text) {
  const EnvFile file = parse_env_file(text, Variables());
  std::string out;
  for (const auto& [name, value] : file.entries) out += name + "=" + value.value_or("-") + "|";
  for (const Misread& error : file.errors) out += shown(error) + "|";
  return out;
}

TEST_CASE("env file: comments, export, quotes and variables") {
  const Variable set("JT_SET", "v");
  CHECK(env_shown("# c\n\nA=1\n export B = two words # c\nC=#\nD=a#b\n") ==
        "A=1|B=two words|C=|D=a#b|");
  CHECK(env_shown("A='x $JT_SET # \\n' # c\r\nB=\"x\\n$JT_SET \\$ \\\" \\\\\"\r\n") ==
        "A=x $JT_SET # \\n|B=x\nv $ \" \\|");
  CHECK(env_shown("A=\"one\ntwo\"\nB=$A-${A}\n") == "A=one\ntwo|B=one\ntwo-one\ntwo|");
  CHECK(env_shown("JT_SET\nJT_NO\nE=\n") == "JT_SET=v|JT_NO=-|E=|");
  CHECK(env_shown("A=1\nA=2") == "A=1|A=2|");
}

TEST_CASE("env file: what cannot be read is an error at its line") {
  CHECK(env_shown("A=1\n=2\nB 3\nC='x' y\nD=${\nE=4") ==
        "A=1|E=4|2:1: expected NAME=value|3:3: expected `=` after the name|"
        "4:7: text after the closing quote|5:3: `${` without `}`; write `$$` for a dollar sign|");
  CHECK(env_shown("A=1\nB=\"x\nC=2\n") == "A=1|2:3: a quote that is never closed|");
  CHECK(env_shown("A=\x01") == "1:3: a control character|");
}

}  // namespace jaula::test
