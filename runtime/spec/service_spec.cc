// The front doors: a file, or flags alone, to a SpecFile.
#include "runtime/spec/service_spec.h"

#include <errno.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "runtime/base/file.h"
#include "runtime/base/mutant.h"
#include "runtime/base/text.h"
#include "runtime/spec/context.h"
#include "runtime/spec/document.h"
#include "runtime/spec/overrides.h"
#include "runtime/spec/service_reader.h"

namespace jaula::spec {
namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A project is called like the directory of its file, as far as that is a name.
std::string project_name(const Context& context) {
  const Result<std::string> directory = context.absolute(".", {});
  std::string name;
  if (directory)
    for (const char c : directory->substr(directory->rfind('/') + 1))
      if (is_name(name + c)) name += c;
  return name.empty() ? "default" : name;
}

// `x-jaula:` of a service holds the same keys as the service: they move up.
void lift_x_jaula(Context& context, Node& service, const Path& path) {
  Node* inner = service.find("x-jaula");
  if (inner == nullptr) return;
  const Path inner_path{.parent = &path, .key = "x-jaula"};
  if (inner->kind != Node::Kind::kMapping) {
    if (inner->kind != Node::Kind::kNull)
      context.problems.add(context.origin(inner->place, inner_path), "expected a mapping");
    return;
  }
  std::unordered_map<std::string, int> lines;
  for (const Entry& entry : service.entries) lines.emplace(entry.key, entry.place.line);
  for (Entry& entry : std::exchange(inner->entries, {})) {
    const auto [other, added] = lines.emplace(entry.key, entry.place.line);
    if (added) {
      service.entries.push_back(std::move(entry));
      continue;
    }
    const Path key_path{.parent = &inner_path, .key = entry.key};
    context.problems.add(
        context.origin(entry.place, key_path),
        "the service itself gives this key at line " + std::to_string(other->second));
  }
}

// Variables stand in values, never in keys.
void interpolate_tree(Context& context, Node& node, const Path& path) {
  for (std::size_t i = 0; i < node.items.size(); ++i)
    interpolate_tree(context, node.items[i], {.parent = &path, .key = {}, .index = i});
  for (Entry& entry : node.entries)
    interpolate_tree(context, entry.value, {.parent = &path, .key = entry.key});
  if (node.text.find('$') == std::string::npos) return;
  Interpolation result = interpolate(node.text, context.variables, context.text_left);
  context.text_left -= std::min(context.text_left, result.text.size());
  for (const std::string& name : result.unset)
    context.problems.add(context.origin(node.place, path),
                         "variable `" + clipped(name) + "` is not set; it becomes empty", true);
  if (!result.error.empty())
    context.problems.add(context.origin(node.place, path), std::move(result.error));
  node.text = std::move(result.text);
}

void prepare(Context& context, Node& root) {
  for (Entry& entry : root.entries) {
    if (entry.key.starts_with("x-")) continue;
    const Path path{.parent = nullptr, .key = entry.key};
    if (entry.key != "services") {
      interpolate_tree(context, entry.value, path);
      continue;
    }
    for (Entry& service : entry.value.entries) {
      const Path service_path{.parent = &path, .key = service.key};
      lift_x_jaula(context, service.value, service_path);
      for (Entry& key : service.value.entries)
        if (!key.key.starts_with("x-"))
          interpolate_tree(context, key.value, {.parent = &service_path, .key = key.key});
    }
  }
}

void load_dotenv(Context& context) {
  const Result<std::string> path = context.absolute(".env", {});
  const Result<std::string> bytes = path ? read_file(*path) : path;
  if (!bytes) {
    // A directory of that name is somebody's virtual environment.
    if (bytes.error().code() != ENOENT && bytes.error().code() != EISDIR)
      context.problems.add({".env", 0, 0, ""}, std::string(bytes.error().reason()));
    return;
  }
  EnvFile file = parse_env_file(*bytes, context.variables);
  for (Misread& error : file.errors)
    context.problems.add({".env", error.place.line, error.place.column, ""}, std::move(error.text));
  for (auto& [name, value] : file.entries)
    if (value) context.variables.set(name, *std::move(value));
}

// The tree of the file, or null when there is none to read on with.
Node read_tree(Context& context, const std::string& path) {
  const Result<std::string> bytes = read_input(path);
  if (!bytes) {
    const bool too_large = bytes.error().code() == EFBIG;
    context.problems.add({context.file, 0, 0, ""},
                         too_large ? "larger than 1 MiB" : std::string(bytes.error().reason()));
    return {};
  }
  Document document = parse_document(*bytes);
  for (Misread& error : document.errors)
    context.problems.add(context.origin(error.place, {}), std::move(error.text));
  if (document.root.kind == Node::Kind::kNull && document.errors.empty())
    context.problems.add({context.file, 0, 0, ""}, "the file is empty; a spec needs `services:`");
  return std::move(document.root);
}

SpecFile finish(Context& context, SpecFile file) {
  file.problems = std::move(context.problems).sorted(context.file);
  if (!file.ok()) file.services.clear();
  return file;
}

}  // namespace

bool is_name(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= kLongest && letter_or_digit(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return letter_or_digit(c) || c == '_' || c == '.' || c == '-';
         });
}

// 4294967295 is -1, which the kernel reads as "leave it".
bool is_group(std::string_view text) {
  constexpr std::size_t kLongestName = 32;
  const std::uint64_t largest = mutant("ids in range") ? UINT64_MAX : 4294967294;
  const bool number = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (number) return (text == "0" || text[0] != '0') && parse_decimal(text, largest).has_value();
  const auto in_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !text.empty() && text.size() <= kLongestName && text[0] != '-' && text[0] != '.' &&
         std::all_of(text.begin(), text.end(), in_name);
}

bool is_user(std::string_view text) {
  const std::size_t colon = text.find(':');
  return is_group(text.substr(0, colon)) &&
         (colon == std::string_view::npos || is_group(text.substr(colon + 1)));
}

SpecFile load_spec(const std::string& path, const LoadOptions& options) {
  Context context{.options = options,
                  .file = path == "-" ? "<stdin>" : path,
                  .directory = path == "-" ? options.directory : directory_of(path),
                  .variables = {},
                  .problems = {}};
  SpecFile file;
  Node root = read_tree(context, path);
  if (root.kind == Node::Kind::kNull) return finish(context, std::move(file));
  load_dotenv(context);
  prepare(context, root);
  apply_overrides(context, root);
  read_spec(context, root, project_name(context), file);
  return finish(context, std::move(file));
}

SpecFile make_spec(const std::string& name, const LoadOptions& options) {
  Context context{.options = options,
                  .file = {},
                  .directory = options.directory,
                  .variables = {},
                  .problems = {}};
  SpecFile file;
  Node root;
  root.at("services", {}).at(name, {}).kind = Node::Kind::kMapping;
  apply_overrides(context, root);
  read_spec(context, root, name, file);
  return finish(context, std::move(file));
}

}  // namespace jaula::spec
