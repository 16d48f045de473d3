// A node on its way into the spec, and the small readers that every key is made of. A reader that
// cannot take the node reports why and returns nullopt; the rest of the file is read on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/spec/context.h"
#include "runtime/spec/node.h"
#include "runtime/spec/service_spec.h"

namespace jaula::spec {

class Value {
 public:
  Value(Context& context, const Node& node, const Path& path, const Place& key)
      : context_(context), node_(node), path_(path), key_(key) {}
  Value(const Value&) = delete;  // children point at their parent's path
  Value& operator=(const Value&) = delete;

  [[nodiscard]] Context& context() const { return context_; }
  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] Origin origin() const { return context_.origin(node_.place, path_); }
  // Where its key stands; of an item of a list, where the item does.
  [[nodiscard]] Origin key_origin() const { return context_.origin(key_, path_); }
  [[nodiscard]] bool is(Node::Kind kind) const { return node_.kind == kind; }
  [[nodiscard]] Value item(std::size_t index) const {
    const Node& node = node_.items[index];
    return {context_, node, {.parent = &path_, .key = {}, .index = index}, node.place};
  }
  [[nodiscard]] Value child(const Entry& entry) const {
    return {context_, entry.value, {.parent = &path_, .key = entry.key}, entry.place};
  }

  void fail(std::string text) const;
  void fail_key(std::string text) const;  // the key is what is wrong
  void warn(std::string text) const;
  void expected(std::string_view what) const;  // "expected WHAT, got …"
  void not_supported(std::string_view hint = {}) const;

  // Any scalar, as it is written.
  [[nodiscard]] std::optional<std::string> text(std::string_view what) const;
  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::int64_t min, std::int64_t max,
                                                    std::string_view what) const;

  // read(Value) for each item of a list; a missing value is an empty list.
  template <class Read>
  void each_item(std::string_view what, Read&& read) const {
    if (!is(Node::Kind::kSequence) && !is(Node::Kind::kNull)) return expected(what);
    for (std::size_t i = 0; i < node_.items.size(); ++i) read(item(i));
  }
  // The same, and a scalar counts as a list of one.
  template <class Read>
  void each_item_or_one(std::string_view what, Read&& read) const {
    if (is(Node::Kind::kScalar)) return read(*this);
    each_item(what, read);
  }
  // read(name, text, Value) for each entry of a mapping or each NAME=text item of a list. The text
  // is nullopt when nothing but the name is there.
  template <class Read>
  void each_pair(std::string_view what, Read&& read) const {
    if (is(Node::Kind::kMapping)) {
      for (const Entry& entry : node_.entries) {
        const Value value = child(entry);
        if (value.is(Node::Kind::kNull)) {
          read(std::string_view(entry.key), std::optional<std::string>(), value);
        } else if (std::optional<std::string> text = value.text("a string or a number")) {
          read(std::string_view(entry.key), std::move(text), value);
        }
      }
      return;
    }
    each_item(what, [&](const Value& value) {
      const std::optional<std::string> pair = value.text("NAME=value");
      if (!pair) return;
      const std::size_t equals = pair->find('=');
      const bool bare = equals == std::string::npos;
      read(std::string_view(*pair).substr(0, equals),
           bare ? std::nullopt : std::optional(pair->substr(equals + 1)), value);
    });
  }

 private:
  Context& context_;
  const Node& node_;
  Path path_;
  Place key_;
};

template <class T>
void keep(Key<T>& key, const Value& value, std::optional<T> parsed) {
  if (parsed) key = Sourced<T>{*std::move(parsed), value.origin()};
}

// One choice out of a few. Without a value: known, but not supported yet.
template <class T>
struct Choice {
  std::string_view name;
  std::optional<T> value;
};

template <class T, std::size_t kSize>
std::optional<T> one_of(const Value& value, const Choice<T> (&words)[kSize],
                        std::string_view what) {
  const std::optional<std::string> text = value.text(what);
  if (!text) return std::nullopt;
  for (const Choice<T>& word : words) {
    if (*text != word.name) continue;
    if (!word.value) value.not_supported();
    return word.value;
  }
  value.expected(what);
  return std::nullopt;
}

}  // namespace jaula::spec
