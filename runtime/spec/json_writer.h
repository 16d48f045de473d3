// JSON objects and plain structs, described once and walked in both directions. A description is a
// function template that names every member of an object to a writer or to a reader:
//   void walk_user(auto& json, auto& user) {
//     json.member("uid", user.uid);
//     json.member("gid", user.gid);
//   }
// so what is written is what is read, and a member that no description names is an error.
//
// argv, environment and paths are bytes without NUL, not text. A byte that is not UTF-8 stands in a
// JSON string as U+0000 and the code point of its value: "\u0000ÿ" is the byte FF. Every other use
// of U+0000 is refused. Parent side. RFC 8259
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace jaula::spec {

using Pair = std::pair<std::string, std::string>;

template <class Enum>
struct Word {
  Enum value;
  std::string_view text;
};
template <class Enum>
using Words = std::type_identity_t<std::span<const Word<Enum>>>;  // the value alone gives the type

class JsonWriter {
 public:
  JsonWriter() : text_("{") { text_.reserve(4096); }
  std::string finish() && { return std::move(text_ += '}'); }

  void member(std::string_view key, bool value) { begin(key) += value ? "true" : "false"; }
  void member(std::string_view key, const std::string& value) { quote(begin(key), value); }
  void member(std::string_view key, std::integral auto value) {
    begin(key) += std::to_string(value);
  }
  void member(std::string_view key, const std::vector<std::string>& values);
  void member(std::string_view key, const std::vector<std::uint32_t>& values);
  void member(std::string_view key, const std::vector<Pair>& pairs);
  void member(std::string_view key, const std::map<std::string, std::string>& pairs);
  void member(std::string_view key, std::chrono::milliseconds value) { member(key, value.count()); }
  template <class Enum>
  void member(std::string_view key, Enum value, Words<Enum> words) {
    for (const Word<Enum>& word : words)
      if (word.value == value) return quote(begin(key), word.text);
  }
  template <class Enum>
  void member(std::string_view key, const std::vector<Enum>& values, Words<Enum> words) {
    std::vector<std::string> texts;
    for (const Enum value : values)
      for (const Word<Enum>& word : words)
        if (word.value == value) texts.emplace_back(word.text);
    member(key, texts);
  }
  // Whether the member stands in the text; what it holds is described after.
  template <class T>
  [[nodiscard]] bool present(std::string_view, const std::optional<T>& value) const {
    return value.has_value();
  }
  template <class Walk>
  void object(std::string_view key, Walk walk) {
    begin(key) += '{';
    walk();
    text_ += '}';
  }
  template <class T, class Walk>
  void list(std::string_view key, const std::vector<T>& items, Walk walk) {
    begin(key) += '[';
    for (const T& item : items) {
      separated() += '{';
      walk(item);
      text_ += '}';
    }
    text_ += ']';
  }
  // One string of every item, for what belongs beside a list and not in it.
  template <class T>
  void column(std::string_view key, const std::vector<T>& items, std::string T::*field) {
    begin(key) += '[';
    for (const T& item : items) quote(separated(), item.*field);
    text_ += ']';
  }

 private:
  static void quote(std::string& out, std::string_view bytes);
  std::string& separated();
  std::string& begin(std::string_view key);
  void members(std::string_view key, const auto& pairs);

  std::string text_;
};

}  // namespace jaula::spec
