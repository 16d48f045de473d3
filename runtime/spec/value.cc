#include "runtime/spec/value.h"

#include <utility>

#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

std::string description(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return '"' + clipped(node.text) + '"';
    case Node::Kind::kSequence:
      return "a list";
    case Node::Kind::kMapping:
      return "a mapping";
  }
  return {};
}

bool is_boolean_of_yaml_1_1(std::string_view text) {
  const std::string word = lowered(text);
  return word == "yes" || word == "no" || word == "on" || word == "off" || word == "y" ||
         word == "n";
}

}  // namespace

void Value::fail(std::string text) const { context_.problems.add(origin(), std::move(text)); }

void Value::fail_key(std::string text) const {
  context_.problems.add(key_origin(), std::move(text));
}

void Value::warn(std::string text) const { context_.problems.add(origin(), std::move(text), true); }

void Value::expected(std::string_view what) const {
  fail("expected " + std::string(what) + ", got " + description(node_));
}

void Value::not_supported(std::string_view hint) const {
  std::string text = "not supported yet";
  if (is(Node::Kind::kScalar)) text = '"' + clipped(node_.text) + "\" is " + text;
  if (!hint.empty()) text.append("; ").append(hint);
  fail(std::move(text));
}

std::optional<std::string> Value::text(std::string_view what) const {
  if (is(Node::Kind::kScalar)) return node_.text;
  expected(what);
  return std::nullopt;
}

std::optional<bool> Value::boolean() const {
  if (!is(Node::Kind::kScalar)) return expected("true or false"), std::nullopt;
  const std::optional<bool> value = parse_boolean(node_.text);
  if (value) return value;
  expected(is_boolean_of_yaml_1_1(node_.text)
               ? "true or false (in YAML 1.2 yes, no, on and off are strings)"
               : "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> Value::integer(std::int64_t min, std::int64_t max,
                                           std::string_view what) const {
  if (is(Node::Kind::kScalar)) {
    const std::optional<std::int64_t> value = parse_integer(node_.text);
    if (value && *value >= min && *value <= max) return value;
  }
  expected(what);
  return std::nullopt;
}

}  // namespace jaula::spec
