#include "runtime/spec/document.h"

#include <optional>
#include <unordered_map>
#include <utility>

#include "runtime/spec/characters.h"
#include "runtime/spec/yaml_events.h"

namespace jaula::spec {
namespace {

class TreeBuilder {
 public:
  explicit TreeBuilder(const EventList& list) : events_(list.events) {}

  Document build() && {
    std::size_t at = 0;
    document_.root = read(at);
    return std::move(document_);
  }

 private:
  // The node at `at`, which moves behind it.
  Node read(std::size_t& at) {
    const Event& event = events_[at++];
    if (event.kind == Event::Kind::kAlias) {
      std::size_t target = event.target;
      return read(target);
    }
    Node node;
    node.place = event.place;
    if (event.kind == Event::Kind::kScalar) {
      node.kind = Node::Kind::kScalar;
      node.plain = event.plain;
      node.text = event.text;
    } else if (event.kind == Event::Kind::kSequence) {
      node.kind = Node::Kind::kSequence;
      while (events_[at].kind != Event::Kind::kEnd) node.items.push_back(read(at));
      ++at;
    } else if (event.kind == Event::Kind::kMapping) {
      node.kind = Node::Kind::kMapping;
      read_entries(node, at);
      ++at;
    }
    return node;
  }

  using Lines = std::unordered_map<std::string, int>;  // of the keys of one mapping

  void read_entries(Node& mapping, std::size_t& at) {
    Lines lines;
    std::vector<Node> merged;
    while (events_[at].kind != Event::Kind::kEnd) {
      const Node key = read(at);
      Node value = read(at);
      // An empty value is marked where the next token stands; its key is the better place.
      if (value.kind == Node::Kind::kNull) value.place = key.place;
      if (!is_key(key, lines)) continue;
      if (key.plain && key.text == "<<")
        merged.push_back(std::move(value));
      else
        mapping.entries.push_back({key.text, key.place, std::move(value)});
    }
    for (Node& source : merged) merge(mapping, source, lines);
  }

  bool is_key(const Node& key, Lines& lines) {
    if (key.kind != Node::Kind::kScalar) {
      fail(key.place, "a key must be a string");
      return false;
    }
    const auto [first, added] = lines.emplace(key.text, key.place.line);
    if (!added)
      fail(key.place, "key `" + clipped(key.text) + "` is already given at line " +
                          std::to_string(first->second));
    return added;
  }

  // yaml.org/type/merge.html: keys already there win, and so does the earlier mapping of a list.
  void merge(Node& mapping, Node& source, Lines& lines) {
    if (source.kind == Node::Kind::kSequence) {
      for (Node& item : source.items) merge(mapping, item, lines);
    } else if (source.kind == Node::Kind::kMapping) {
      for (Entry& entry : source.entries)
        if (lines.emplace(entry.key, entry.place.line).second)
          mapping.entries.push_back(std::move(entry));
    } else {
      fail(source.place, "`<<` takes a mapping or a list of mappings");
    }
  }

  void fail(const Place& place, std::string text) {
    document_.errors.push_back({place, std::move(text)});
  }

  const std::vector<Event>& events_;
  Document document_;
};

}  // namespace

Document parse_document(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (const std::optional<Misread> foreign = find_foreign_byte(text))
    return {.root = {}, .errors = {*foreign}};
  EventList list = record_events(text);
  if (!list.errors.empty()) return {.root = {}, .errors = std::move(list.errors)};
  if (list.events.empty()) return {};
  return TreeBuilder(list).build();
}

}  // namespace jaula::spec
