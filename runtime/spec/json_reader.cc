#include "runtime/spec/json_reader.h"

#include <algorithm>
#include <set>

#include "runtime/base/text.h"

namespace jaula::spec {

Result<JsonReader> JsonReader::parse(std::string_view text) {
  JsonReader reader;
  reader.text_ = TRY(parse_json(text));
  if (reader.text_.nodes[0].kind != Kind::kObject) return Error(0, "not a JSON object");
  reader.open_.push_back(0);
  return reader;
}

Result<void> JsonReader::finish() {
  leave();
  if (error_) return *error_;
  return {};
}

JsonReader::Node* JsonReader::find(std::string_view key) {
  if (error_) return nullptr;
  const std::uint32_t end = text_.nodes[open_.back()].end;
  if (next_ < end && text_.nodes[next_].key == key) return &text_.nodes[next_];
  for (std::uint32_t at = open_.back() + 1; at < end; at = text_.nodes[at].end)
    if (text_.nodes[at].key == key) return &text_.nodes[at];
  return nullptr;
}

const JsonReader::Node* JsonReader::take(std::string_view key) {
  Node* node = find(key);
  if (node == nullptr) {
    fail_at(key, "missing");
    return nullptr;
  }
  node->taken = true;
  next_ = node->end;
  return node;
}

bool JsonReader::enter(const Node& node, Kind kind) {
  if (error_) return false;
  if (node.kind != kind) {
    fail(node, kind == Kind::kObject ? "not an object" : "not a list");
    return false;
  }
  open_.push_back(static_cast<std::uint32_t>(&node - text_.nodes.data()));
  next_ = open_.back() + 1;
  return true;
}

void JsonReader::leave() {
  if (error_) return;
  const std::uint32_t first = open_.back() + 1;
  const std::uint32_t end = text_.nodes[open_.back()].end;
  const auto named = [&](std::string_view key) {
    for (std::uint32_t at = first; at < end; at = text_.nodes[at].end)
      if (text_.nodes[at].taken && text_.nodes[at].key == key) return true;
    return false;
  };
  for (std::uint32_t at = first; at < end; at = text_.nodes[at].end) {
    const Node& node = text_.nodes[at];
    if (!node.taken) return fail(node, named(node.key) ? "given twice" : "unknown");
  }
  next_ = end;
  open_.pop_back();
}

std::string JsonReader::string(const Node& node) {
  if (node.kind == Kind::kString) return bytes_of(node, node.text);
  fail(node, "not a string");
  return {};
}

std::string JsonReader::bytes_of(const Node& node, std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (;;) {
    const std::size_t nul = std::min(text.find('\0'), text.size());
    bytes.append(text.substr(0, nul));
    text.remove_prefix(nul);
    if (text.empty()) return bytes;
    // What follows must be U+0080 .. U+00FF, which is C2 80 .. C3 BF in UTF-8.
    const auto lead = static_cast<unsigned char>(text.size() < 3 ? 0 : text[1]);
    if (lead != 0xC2 && lead != 0xC3) {
      fail(node, "holds a NUL");
      return bytes;
    }
    bytes += static_cast<char>((lead << 6) | (static_cast<unsigned char>(text[2]) & 0x3F));
    text.remove_prefix(3);
  }
}

std::uint64_t JsonReader::integer(const Node& node, std::int64_t min, std::uint64_t max) {
  const bool negative = node.kind == Kind::kNegative;
  if (!negative && node.kind != Kind::kUnsigned)
    fail(node, "not an integer");
  else if (negative ? static_cast<std::int64_t>(node.number) < min : node.number > max)
    fail(node, "out of range");
  return node.number;
}

void JsonReader::member(std::string_view key, bool& value) {
  const Node* node = take(key);
  if (node == nullptr) return;
  if (node->kind != Kind::kBool) return fail(*node, "not true or false");
  value = node->number != 0;
}

void JsonReader::member(std::string_view key, std::string& value) {
  if (const Node* node = take(key)) value = string(*node);
}

void JsonReader::member(std::string_view key, std::vector<std::string>& values) {
  values.clear();
  each(key, Kind::kArray, [&](const Node& node) { values.push_back(string(node)); });
}

void JsonReader::member(std::string_view key, std::vector<std::uint32_t>& values) {
  values.clear();
  each(key, Kind::kArray, [&](const Node& node) {
    values.push_back(static_cast<std::uint32_t>(integer(node, 0, UINT32_MAX)));
  });
}

void JsonReader::member(std::string_view key, std::vector<Pair>& pairs) {
  pairs.clear();
  std::set<std::string_view> keys;
  each(key, Kind::kObject, [&](const Node& node) {
    if (!keys.insert(node.key).second) return fail(node, "given twice");
    pairs.emplace_back(bytes_of(node, node.key), string(node));
  });
}

void JsonReader::member(std::string_view key, std::map<std::string, std::string>& pairs) {
  pairs.clear();
  each(key, Kind::kObject, [&](const Node& node) {
    if (!pairs.emplace(bytes_of(node, node.key), string(node)).second) fail(node, "given twice");
  });
}

void JsonReader::fail(const Node& node, std::string_view problem) {
  if (error_) return;
  open_.push_back(static_cast<std::uint32_t>(&node - text_.nodes.data()));
  error_.emplace(0, path(), ": ", problem);
}

void JsonReader::fail_at(std::string_view key, std::string_view problem) {
  if (error_) return;
  const std::string around = path();
  error_.emplace(0, around, around.empty() ? "" : ".", key, ": ", problem);
}

std::string JsonReader::path() const {
  std::string path;
  for (std::size_t depth = 1; depth < open_.size(); ++depth) {
    const Node& outer = text_.nodes[open_[depth - 1]];
    if (outer.kind == Kind::kObject) {
      path += (path.empty() ? "" : ".") + escaped(text_.nodes[open_[depth]].key);
      continue;
    }
    std::size_t index = 0;
    for (std::uint32_t at = open_[depth - 1] + 1; at < open_[depth]; at = text_.nodes[at].end)
      ++index;
    path += '[' + std::to_string(index) + ']';
  }
  return path;
}

}  // namespace jaula::spec
