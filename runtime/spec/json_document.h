// JSON text as somebody wrote it: values that say where they stand, and what is wrong with them.
// For files of users; json_reader.h reads what jaula itself has written. Parent side.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/spec/context.h"
#include "runtime/spec/json_parser.h"

namespace jaula::spec {

class JsonDocument {
 public:
  // `text` and `problems` must outlive it; `file` is the name in messages.
  JsonDocument(std::string_view text, std::string file, Problems& problems);
  [[nodiscard]] bool valid() const { return valid_; }  // what is not, has been said
  [[nodiscard]] const JsonNode& root() const { return json_.nodes[0]; }

  void fail(const JsonNode& node, std::string text) const;
  void fail_key(const JsonNode& node, std::string text) const;
  void warn(const JsonNode& node, std::string text) const;
  [[nodiscard]] std::string place_of(const JsonNode& node) const;  // 12:17

  using Visit = std::function<void(const JsonNode&)>;
  // Each member of an object. One that is none of `known` or that is given twice is a problem and
  // passed over; so is, without a word, one that is null.
  void each_member(const JsonNode& object, std::span<const std::string_view> known,
                   const Visit& visit) const;
  void each_item(const JsonNode& list, std::string_view what, const Visit& visit) const;

  // nullopt after the problem has been said.
  [[nodiscard]] std::optional<std::string_view> text(const JsonNode& node,
                                                     std::string_view what) const;
  [[nodiscard]] std::optional<std::uint64_t> number(const JsonNode& node, std::uint64_t max) const;

 private:
  void visit_children(const JsonNode& container, const Visit& visit) const;
  [[nodiscard]] Origin origin(const JsonNode& node, std::size_t offset) const;
  [[nodiscard]] std::string path_of(const JsonNode& node) const;

  std::string_view text_;
  std::string file_;
  Problems& problems_;
  JsonText json_;
  bool valid_ = false;
};

// "; did you mean `x`?", or nothing when no candidate is near.
std::string meant(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace jaula::spec
