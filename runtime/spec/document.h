// YAML text → tree of nodes. Parent side.
#pragma once

#include <string_view>
#include <vector>

#include "runtime/spec/node.h"
#include "runtime/spec/place.h"

namespace jaula::spec {

struct Document {
  Node root;  // null when the text holds no node, or nothing that can be read on with
  std::vector<Misread> errors;
};

// Aliases and merge keys (`<<`) are expanded; a duplicate key, a second document, a foreign tag, a
// byte that YAML does not allow or more than the bounds of characters.h is an error. Never throws.
Document parse_document(std::string_view text);

}  // namespace jaula::spec
