// JSON text to the flat list of values that a JsonReader walks: no tree, no allocation per value,
// strings are decoded where they stand. A command that looks at a thousand jails parses a thousand
// texts, so this is what its time is made of. Parent side. RFC 8259
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace jaula::spec {

constexpr std::size_t kMaxJsonSize = std::size_t{1} << 20;
constexpr std::size_t kMaxJsonDepth = 32;

enum class JsonKind : std::uint8_t {
  kObject,
  kArray,
  kString,
  kBool,
  kUnsigned,
  kNegative,
  kOther,  // null, and numbers that are no 64-bit integers
};

// A container is followed by what it holds; `end` is the index after that.
struct JsonNode {
  JsonKind kind;
  bool taken = false;  // for the reader: some description has named it
  std::uint32_t end;
  std::string_view key;
  std::string_view
      text;  // of kString; of any other kind it is empty, and begins where the value does
  std::uint64_t number;  // of kNegative: as two's complement
};

struct JsonText {
  std::vector<char> bytes;  // what the nodes' strings are views of
  std::vector<JsonNode> nodes;

  // Where a value, or its key, begins in the text that was parsed.
  [[nodiscard]] std::size_t offset_of(const JsonNode& node) const;
  [[nodiscard]] std::size_t offset_of_key(const JsonNode& node) const;  // its own without a key
};
// `text` must be one value; it need not outlive the call.
Result<JsonText> parse_json(std::string_view text);

struct JsonStop {
  std::size_t offset;
  bool too_deep;
};
// Where a text stops being JSON, for who wants to say it in lines and columns.
JsonStop find_json_error(std::string_view text);

}  // namespace jaula::spec
