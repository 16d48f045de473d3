// Where something stands in a spec.
#pragma once

#include <string>
#include <string_view>

namespace jaula::spec {

// Line and column count from 1; a value from a flag has line 0 and the flag's index among the
// overrides.
struct Place {
  int line = 0;
  int column = 0;
  int flag = -1;
};

struct Misread {
  Place place;
  std::string text;
};

// `text` shortened for a message, on a character's boundary.
std::string clipped(std::string_view text, std::size_t max = 60);

}  // namespace jaula::spec
