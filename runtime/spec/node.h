// The tree of a spec document: what was written and where, before anybody reads meaning into it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec/place.h"

namespace jaula::spec {

struct Entry;

struct Node {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  bool plain = false;  // a scalar written without quotes
  Place place;
  std::string text;            // kScalar
  std::vector<Node> items;     // kSequence
  std::vector<Entry> entries;  // kMapping, in the order of the file

  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  // The value under `key`, which is added (null) when it is not there.
  Node& at(std::string_view key, const Place& place);
};

struct Entry {
  std::string key;
  Place place;
  Node value;
};

Node make_scalar(std::string text, const Place& place);

// The way from the root to a node. Kept on the stack while the tree is walked; becomes text only
// when there is something to say.
struct Path {
  const Path* parent = nullptr;
  std::string_view key;   // of a mapping; empty: an item of a sequence
  std::size_t index = 0;  // of a sequence

  [[nodiscard]] std::string text() const;  // services.web.volumes[1]
};

}  // namespace jaula::spec
