#include "runtime/spec/node.h"

#include <algorithm>
#include <utility>

namespace jaula::spec {

const Node* Node::find(std::string_view key) const {
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  return entry == entries.end() ? nullptr : &entry->value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

Node& Node::at(std::string_view key, const Place& where) {
  kind = Kind::kMapping;
  if (Node* found = find(key)) return *found;
  Node empty;
  empty.place = where;
  return entries.emplace_back(Entry{std::string(key), where, std::move(empty)}).value;
}

Node make_scalar(std::string text, const Place& place) {
  Node node;
  node.kind = Node::Kind::kScalar;
  node.place = place;
  node.text = std::move(text);
  return node;
}

std::string Path::text() const {
  std::string text = parent != nullptr ? parent->text() : std::string();
  if (key.data() == nullptr)
    return parent == nullptr ? text : text + '[' + std::to_string(index) + ']';
  if (!text.empty()) text += '.';
  return text + clipped(key);
}

}  // namespace jaula::spec
