// Reads what a description names out of JSON text, strictly: a member that is missing, unknown,
// given twice or of another type is an Error that says its path. json_writer.h has the other
// direction. The first error stops the walk; descriptions need no checks of their own. Parent side.
// RFC 8259
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/spec/json_parser.h"
#include "runtime/spec/json_writer.h"

namespace jaula::spec {

class JsonReader {
 public:
  // `text` must be one object; it need not outlive the call.
  static Result<JsonReader> parse(std::string_view text);
  // The first thing that was wrong, with its path: "process.user.uid: missing".
  Result<void> finish();

  void member(std::string_view key, bool& value);
  void member(std::string_view key, std::string& value);
  void member(std::string_view key, std::vector<std::string>& values);
  void member(std::string_view key, std::vector<std::uint32_t>& values);
  void member(std::string_view key, std::vector<Pair>& pairs);
  void member(std::string_view key, std::map<std::string, std::string>& pairs);
  template <std::integral T>
  void member(std::string_view key, T& value) {
    using Limits = std::numeric_limits<T>;
    if (const Node* node = take(key))
      value = static_cast<T>(integer(*node, Limits::min(), Limits::max()));
  }
  void member(std::string_view key, std::chrono::milliseconds& value) {
    std::int64_t count = 0;
    member(key, count);
    value = std::chrono::milliseconds(count);
  }
  template <class Enum>
  void member(std::string_view key, Enum& value, Words<Enum> words) {
    if (const Node* node = take(key)) find_word(*node, value, words);
  }
  template <class Enum>
  void member(std::string_view key, std::vector<Enum>& values, Words<Enum> words) {
    values.clear();
    each(key, Kind::kArray,
         [&](const Node& node) { find_word(node, values.emplace_back(), words); });
  }
  template <class T>
  bool present(std::string_view key, std::optional<T>& value) {
    value.reset();
    if (find(key) == nullptr) return false;
    value.emplace();
    return true;
  }
  template <class Walk>
  void object(std::string_view key, Walk walk) {
    const Node* node = take(key);
    if (node == nullptr || !enter(*node, Kind::kObject)) return;
    walk();
    leave();
  }
  template <class T, class Walk>
  void list(std::string_view key, std::vector<T>& items, Walk walk) {
    items.clear();
    each(key, Kind::kArray, [&](const Node& node) {
      if (!enter(node, Kind::kObject)) return;
      walk(items.emplace_back());
      leave();
    });
  }
  template <class T>
  void column(std::string_view key, std::vector<T>& items, std::string T::*field) {
    std::size_t count = 0;
    each(key, Kind::kArray, [&](const Node& node) {
      if (count < items.size()) items[count].*field = string(node);
      ++count;
    });
    if (count != items.size()) fail_at(key, "has not one entry for each item");
  }

 private:
  using Kind = JsonKind;
  using Node = JsonNode;

  Node* find(std::string_view key);        // member of the innermost open object
  const Node* take(std::string_view key);  // the same; fails when it is missing
  bool enter(const Node& node, Kind kind);
  void leave();
  template <class Visit>
  void each(std::string_view key, Kind kind, Visit visit) {
    const Node* node = take(key);
    if (node == nullptr || !enter(*node, kind)) return;
    for (std::uint32_t at = open_.back() + 1; at < node->end; at = text_.nodes[at].end) {
      text_.nodes[at].taken = true;
      visit(text_.nodes[at]);
    }
    leave();
  }
  template <class Enum>
  void find_word(const Node& node, Enum& value, Words<Enum> words) {
    const std::string text = string(node);
    for (const Word<Enum>& word : words)
      if (word.text == text) {
        value = word.value;
        return;
      }
    fail(node, "not one of the known words");
  }
  std::string string(const Node& node);
  std::string bytes_of(const Node& node, std::string_view text);
  std::uint64_t integer(const Node& node, std::int64_t min, std::uint64_t max);
  void fail(const Node& node, std::string_view problem);
  void fail_at(std::string_view key, std::string_view problem);
  [[nodiscard]] std::string path() const;

  JsonText text_;
  std::vector<std::uint32_t> open_;  // the containers around what is being read
  std::uint32_t next_ = 1;           // where the next member is expected: in the order of writing
  std::optional<Error> error_;
};

}  // namespace jaula::spec
