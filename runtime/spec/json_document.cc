#include "runtime/spec/json_document.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/base/text.h"

namespace jaula::spec {
namespace {

Place place_at(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t start = newline == before.npos ? 0 : newline + 1;
  return {.line = static_cast<int>(std::ranges::count(before, '\n')) + 1,
          .column = count_characters(before.substr(start)) + 1};
}

}  // namespace

std::string meant(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongestWord = 64;
  if (word.size() > kLongestWord) return {};
  const std::string_view best = nearest(word, candidates);
  return best.empty() ? std::string() : "; did you mean `" + std::string(best) + "`?";
}

JsonDocument::JsonDocument(std::string_view text, std::string file, Problems& problems)
    : text_(text), file_(std::move(file)), problems_(problems) {
  Result<JsonText> parsed = parse_json(text);
  if (parsed) {
    json_ = std::move(*parsed);
    valid_ = true;
    return;
  }
  const JsonStop stop = find_json_error(text);
  const Place place = place_at(text, stop.offset);
  problems_.add({file_, place.line, place.column, ""},
                stop.too_deep ? std::string(parsed.error().text()) : "not JSON");
}

std::string JsonDocument::path_of(const JsonNode& node) const {
  const auto target = static_cast<std::size_t>(&node - json_.nodes.data());
  std::string path;
  for (std::size_t at = 0; at != target;) {
    const JsonNode& outer = json_.nodes[at];
    std::size_t index = 0;
    std::size_t child = at + 1;
    for (; json_.nodes[child].end <= target; child = json_.nodes[child].end) ++index;
    if (outer.kind == JsonKind::kObject)
      path.append(path.empty() ? "" : ".").append(clipped(json_.nodes[child].key));
    else
      path += '[' + std::to_string(index) + ']';
    at = child;
  }
  return path;
}

Origin JsonDocument::origin(const JsonNode& node, std::size_t offset) const {
  const Place place = place_at(text_, offset);
  return {file_, place.line, place.column, path_of(node)};
}

void JsonDocument::fail(const JsonNode& node, std::string text) const {
  if (problems_.full()) return;  // before the place is counted: a hostile file has many mistakes
  problems_.add(origin(node, json_.offset_of(node)), std::move(text));
}

void JsonDocument::fail_key(const JsonNode& node, std::string text) const {
  if (problems_.full()) return;
  problems_.add(origin(node, json_.offset_of_key(node)), std::move(text));
}

void JsonDocument::warn(const JsonNode& node, std::string text) const {
  if (problems_.full(true)) return;
  problems_.add(origin(node, json_.offset_of(node)), std::move(text), true);
}

std::string JsonDocument::place_of(const JsonNode& node) const {
  const Place place = place_at(text_, json_.offset_of(node));
  return std::to_string(place.line) + ':' + std::to_string(place.column);
}

void JsonDocument::visit_children(const JsonNode& container, const Visit& visit) const {
  const auto self = static_cast<std::size_t>(&container - json_.nodes.data());
  for (std::size_t at = self + 1; at < container.end; at = json_.nodes[at].end)
    visit(json_.nodes[at]);
}

void JsonDocument::each_member(const JsonNode& object, std::span<const std::string_view> known,
                               const Visit& visit) const {
  if (object.kind != JsonKind::kObject) return fail(object, "expected an object");
  std::vector<std::string_view> seen;
  visit_children(object, [&](const JsonNode& node) {
    if (problems_.full()) return;
    if (std::ranges::find(known, node.key) == known.end())
      return fail_key(node, "unknown key" + meant(node.key, known));
    if (std::ranges::find(seen, node.key) != seen.end()) return fail_key(node, "given twice");
    seen.push_back(node.key);
    const bool null = node.kind == JsonKind::kOther && text_[json_.offset_of(node)] == 'n';
    if (!null) visit(node);
  });
}

void JsonDocument::each_item(const JsonNode& list, std::string_view what,
                             const Visit& visit) const {
  if (list.kind != JsonKind::kArray) return fail(list, "expected " + std::string(what));
  visit_children(list, visit);
}

std::optional<std::string_view> JsonDocument::text(const JsonNode& node,
                                                   std::string_view what) const {
  if (node.kind == JsonKind::kString) return node.text;
  fail(node, "expected " + std::string(what));
  return std::nullopt;
}

std::optional<std::uint64_t> JsonDocument::number(const JsonNode& node, std::uint64_t max) const {
  if (node.kind == JsonKind::kUnsigned && node.number <= max) return node.number;
  fail(node, "expected a whole number from 0 to " + std::to_string(max));
  return std::nullopt;
}

}  // namespace jaula::spec
