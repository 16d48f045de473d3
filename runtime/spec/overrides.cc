#include "runtime/spec/overrides.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/spec/document.h"

namespace jaula::spec {
namespace {

// Keys whose entries have names with dots in them; a key path goes one level into them, and an
// appended NAME=value becomes an entry when the file has a mapping.
constexpr std::array<std::string_view, 3> kPairKeys = {"environment", "labels", "sysctls"};

bool is_pair_key(std::string_view key) {
  return std::find(kPairKeys.begin(), kPairKeys.end(), key) != kPairKeys.end();
}

void stamp(Node& node, const Place& place) {
  node.place = place;
  for (Node& item : node.items) stamp(item, place);
  for (Entry& entry : node.entries) {
    entry.place = place;
    stamp(entry.value, place);
  }
}

class Applier {
 public:
  Applier(Context& context, Node& root) : context_(context), root_(root) {}

  void apply(std::size_t index) {
    given_ = &context_.options.overrides[index];
    place_ = {.line = 0, .column = 0, .flag = static_cast<int>(index)};
    std::optional<Node> value = read_value();
    if (!value) return;
    if (given_->key == "name") {
      root_.at("name", place_) = *std::move(value);
      return;
    }
    std::string_view path = given_->key;
    Node* service = path.starts_with("services.") ? service_of_path(path) : service_of_short_key();
    if (service == nullptr) return;
    if (path.starts_with("x-jaula.")) path.remove_prefix(std::string_view("x-jaula.").size());
    if (service->kind == Node::Kind::kNull) service->kind = Node::Kind::kMapping;
    if (service->kind == Node::Kind::kMapping) write(*service, path, *std::move(value));
  }

 private:
  std::optional<Node> read_value() {
    if (given_->kind == Override::Kind::kYaml) return read_yaml();
    Node list;
    list.kind = Node::Kind::kSequence;
    list.place = place_;
    if (given_->kind != Override::Kind::kList) {
      if (!is_text(given_->value)) return std::nullopt;
      return make_scalar(given_->value, place_);
    }
    for (const std::string& value : given_->values) {
      if (!is_text(value)) return std::nullopt;
      list.items.push_back(make_scalar(value, place_));
    }
    return list;
  }

  std::optional<Node> read_yaml() {
    Document document = parse_document(given_->value);
    for (const Misread& error : document.errors) fail(error.text);
    if (!document.errors.empty()) return std::nullopt;
    stamp(document.root, place_);
    return std::move(document.root);
  }

  bool is_text(const std::string& value) {
    if (find_invalid_utf8(value) == std::string::npos) return true;
    fail("the value is not valid UTF-8");
    return false;
  }

  // Takes `services.NAME.` off the front of `path`. Names may have dots: the longest that is there
  // is meant.
  Node* service_of_path(std::string_view& path) {
    path.remove_prefix(std::string_view("services.").size());
    Entry* best = nullptr;
    for (Entry& entry : services())
      if (path.starts_with(entry.key + '.') &&
          (best == nullptr || entry.key.size() > best->key.size()))
        best = &entry;
    if (best == nullptr) return unknown_service(path);
    path.remove_prefix(best->key.size() + 1);
    return &best->value;
  }

  Node* service_of_short_key() {
    const std::span<Entry> all = services();
    if (!context_.options.service.empty()) {
      for (Entry& entry : all)
        if (entry.key == context_.options.service) return &entry.value;
      return nullptr;  // reported once, by apply_overrides
    }
    if (all.size() == 1) return &all[0].value;
    if (all.empty()) return nullptr;  // the reader will say so
    fail("the file has several services (" + service_list() + "); say which with --service");
    return nullptr;
  }

  std::span<Entry> services() {
    Node* node = root_.find("services");
    return node == nullptr ? std::span<Entry>() : std::span(node->entries);
  }

  std::string service_list() {
    constexpr std::size_t kShown = 5;
    std::string text;
    for (std::size_t i = 0; i < services().size(); ++i) {
      if (i == kShown) return text + ", …";
      text.append(i == 0 ? "" : ", ").append(clipped(services()[i].key));
    }
    return text;
  }

  Node* unknown_service(std::string_view path) {
    for (const Entry& entry : services())
      if (entry.key == path) return fail("a service, not a key of one"), nullptr;
    const std::string_view name = path.substr(0, path.find('.'));
    std::vector<std::string_view> names;
    for (const Entry& entry : services()) names.push_back(entry.key);
    fail("unknown service `" + clipped(name) + '`' + context_.did_you_mean(name, names));
    return nullptr;
  }

  void write(Node& service, std::string_view path, Node value) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    if (dot != std::string_view::npos)
      return write_inside(service.at(key, place_), key, path.substr(dot + 1), std::move(value));
    if (given_->kind == Override::Kind::kAppend)
      return append(service.at(key, place_), std::move(value));
    set(service, key, std::move(value));
  }

  // The key's own place becomes the flag too, for what is said about the key itself.
  void set(Node& mapping, std::string_view key, Node value) {
    mapping.kind = Node::Kind::kMapping;
    for (Entry& entry : mapping.entries) {
      if (entry.key != key) continue;
      entry.place = place_;
      entry.value = std::move(value);
      return;
    }
    mapping.entries.push_back({std::string(key), place_, std::move(value)});
  }

  void write_inside(Node& target, std::string_view key, std::string_view path, Node value) {
    const bool pairs = is_pair_key(key);
    if (target.kind == Node::Kind::kSequence && pairs && value.kind == Node::Kind::kScalar) {
      value.text = std::string(path) + '=' + value.text;
      target.items.push_back(std::move(value));
      return;
    }
    if (target.kind == Node::Kind::kSequence)
      return fail("`" + std::string(key) + "` is a list; give the whole list");
    Node* mapping = &target;
    for (std::size_t dot = path.find('.'); !pairs && dot != std::string_view::npos;
         dot = path.find('.')) {
      mapping = &mapping->at(path.substr(0, dot), place_);
      path.remove_prefix(dot + 1);
    }
    set(*mapping, path, std::move(value));
  }

  void append(Node& list, Node value) {
    if (list.kind == Node::Kind::kMapping) return append_entry(list, value.text);
    if (list.kind == Node::Kind::kScalar) {  // `tmpfs: /run` is a list of one
      Node one = std::exchange(list, Node());
      list.place = one.place;
      list.items.push_back(std::move(one));
    }
    list.kind = Node::Kind::kSequence;
    list.items.push_back(std::move(value));
  }

  void append_entry(Node& mapping, std::string_view pair) {
    const std::size_t equals = pair.find('=');
    Node value;
    value.place = place_;
    if (equals != std::string_view::npos)
      value = make_scalar(std::string(pair.substr(equals + 1)), place_);
    set(mapping, pair.substr(0, equals), std::move(value));
  }

  void fail(std::string text) {
    context_.problems.add(context_.origin(place_, {}), std::move(text));
  }

  Context& context_;
  Node& root_;
  const Override* given_ = nullptr;
  Place place_;
};

void check_service_option(Context& context, const Node& root) {
  const std::string& name = context.options.service;
  const Node* services = root.find("services");
  if (name.empty() || services == nullptr || services->find(name) != nullptr) return;
  std::vector<std::string_view> names;
  for (const Entry& entry : services->entries) names.push_back(entry.key);
  context.problems.add({"--service", 0, 0, ""}, "unknown service `" + clipped(name) + '`' +
                                                    context.did_you_mean(name, names));
}

}  // namespace

void apply_overrides(Context& context, Node& root) {
  check_service_option(context, root);
  Applier applier(context, root);
  for (std::size_t i = 0; i < context.options.overrides.size(); ++i) applier.apply(i);
}

}  // namespace jaula::spec
