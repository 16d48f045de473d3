// YAML text → the list of its events, within bounds. Parent side. The only user of yaml-cpp, whose
// exceptions end here. yaml.org/spec/1.2.2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec/place.h"

namespace jaula::spec {

// A document is a flat list of events: an alias is a jump back to `target`, and expanding it is
// reading the same events again.
struct Event {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMapping, kEnd, kAlias };
  Kind kind = Kind::kNull;
  bool plain = false;
  Place place;
  std::string text;
  std::size_t target = 0;
};

struct EventList {
  std::vector<Event> events;  // balanced, and whole only without errors
  std::vector<Misread> errors;
};

EventList record_events(std::string_view text);

}  // namespace jaula::spec
