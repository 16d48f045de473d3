// `configs` and `secrets`: what a file of specs defines, and what a service gets of it.
#include <algorithm>
#include <utility>

#include "runtime/base/text.h"
#include "runtime/spec/service_keys.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

constexpr std::uint64_t kLastId = UINT32_MAX - 1;  // -1 is no id

// --- definitions

void read_source(const Value& value, FileFrom from, FileObject& object) {
  const auto text = value.text(from == FileFrom::kFile ? "a path" : "a string");
  if (!text) return;
  object.from = from;
  object.value = *text;
  if (from == FileFrom::kContent) object.content = *text;
  if (from == FileFrom::kEnvironment) {
    if (text->empty()) return value.expected("the name of a variable");
    object.content = value.context().variables.find(*text);
  }
  if (from != FileFrom::kFile) return;
  if (text->empty()) return value.expected("a path");
  object.value = host_path(value, *text).value_or("");
}

void refuse_external(const Value& value) {
  const auto external = value.boolean();
  if (external.value_or(false))
    value.not_supported("there is no store that it could be in; use `file` or `environment`");
}

void read_object_key(const Value& value, std::string_view key, FileObject& object) {
  static constexpr std::string_view kKeys[] = {"file", "content", "environment", "external"};
  static constexpr std::string_view kLater[] = {"name", "labels", "driver", "driver_opts",
                                                "template_driver"};
  if (key == "file") return read_source(value, FileFrom::kFile, object);
  if (key == "content") return read_source(value, FileFrom::kContent, object);
  if (key == "environment") return read_source(value, FileFrom::kEnvironment, object);
  if (key == "external") return refuse_external(value);
  if (std::find(std::begin(kLater), std::end(kLater), key) != std::end(kLater))
    return value.fail_key("not supported yet");
  if (!key.starts_with("x-"))
    value.fail_key("unknown key" + value.context().did_you_mean(key, kKeys));
}

void read_object(const Value& value, std::string_view name, std::vector<FileObject>& objects) {
  if (!is_name(name)) return value.fail_key("expected a name (letters, digits, `_`, `.` and `-`)");
  if (!value.is(Node::Kind::kMapping))
    return value.expected("a mapping with `file`, `content` or `environment`");
  FileObject object;
  object.name = name;
  object.origin = value.key_origin();
  int sources = 0;
  bool external = false;
  for (const Entry& entry : value.node().entries) {
    sources += entry.key == "file" || entry.key == "content" || entry.key == "environment" ? 1 : 0;
    external = external || entry.key == "external";
    read_object_key(value.child(entry), entry.key, object);
  }
  if (sources != 1 && !(external && sources == 0))
    value.fail_key("needs one of `file`, `content` and `environment`");
  objects.push_back(std::move(object));
}

// --- what a service gets

std::optional<std::string> target_of(const Value& value, const std::string& target, bool secret) {
  const std::string base = secret ? "/run/secrets/" : "/";
  std::optional<std::string> path =
      jail_path(value, target.starts_with('/') ? target : base + target);
  if (!path || (*path != "/" && !target.empty() && !target.ends_with('/'))) return path;
  value.fail("expected the path of a file, got \"" + clipped(target) + '"');
  return std::nullopt;
}

void read_id(const Value& value, std::optional<std::uint32_t>& id) {
  constexpr std::string_view kWhat = "a number from 0 to 4294967294";
  const auto text = value.text(kWhat);
  if (!text) return;
  const auto number = parse_decimal(*text, kLastId);
  if (!number || (text->size() > 1 && text->front() == '0')) return value.expected(kWhat);
  id = static_cast<std::uint32_t>(*number);
}

void read_mode(const Value& value, GrantedFile& file) {
  constexpr unsigned kPermissions = 0777;
  constexpr std::string_view kWhat = "an octal mode such as 0440";
  const auto text = value.text(kWhat);
  if (!text) return;
  const auto mode = parse_mode(*text);
  if (!mode || *mode > kPermissions) return value.expected(kWhat);
  file.mode = *mode & 0555U;  // nobody can write it, whatever is said
}

void read_grant_key(const Value& value, std::string_view key, std::string& source,
                    GrantedFile& file) {
  static constexpr std::string_view kKeys[] = {"source", "target", "uid", "gid", "mode"};
  if (key == "source") {
    source = value.text("a name").value_or("");
  } else if (key == "target") {
    if (const auto text = value.text("a path"))
      file.target = target_of(value, *text, file.secret).value_or("");
  } else if (key == "uid") {
    read_id(value, file.uid);
  } else if (key == "gid") {
    read_id(value, file.gid);
  } else if (key == "mode") {
    read_mode(value, file);
  } else if (!key.starts_with("x-")) {
    value.fail_key("unknown key" + value.context().did_you_mean(key, kKeys));
  }
}

void read_grant(const Value& value, bool secret, ServiceSpec& spec) {
  const std::vector<FileObject>& objects =
      secret ? value.context().secrets : value.context().configs;
  GrantedFile file;
  file.secret = secret;
  file.origin = value.origin();
  std::string source;
  if (value.is(Node::Kind::kScalar)) {
    source = value.node().text;
  } else if (value.is(Node::Kind::kMapping)) {
    for (const Entry& entry : value.node().entries)
      read_grant_key(value.child(entry), entry.key, source, file);
    if (value.node().find("source") == nullptr) return value.fail("needs `source`");
    if (value.node().find("target") != nullptr && file.target.empty()) return;
  } else {
    return value.expected("a name, or a mapping with `source`");
  }
  const auto found = std::find_if(objects.begin(), objects.end(),
                                  [&](const FileObject& one) { return one.name == source; });
  if (found == objects.end()) {
    std::vector<std::string_view> names;
    names.reserve(objects.size());
    for (const FileObject& one : objects) names.push_back(one.name);
    return value.fail("there is no " + std::string(secret ? "secret `" : "config `") +
                      clipped(source) + "` at the top of the file" +
                      value.context().did_you_mean(source, names));
  }
  file.object = *found;
  if (file.target.empty()) file.target = (secret ? "/run/secrets/" : "/") + source;
  spec.files.push_back(std::move(file));
}

void read_configs(const Value& list, ServiceSpec& spec) {
  list.each_item("a list of configs", [&](const Value& value) { read_grant(value, false, spec); });
}

void read_secrets(const Value& list, ServiceSpec& spec) {
  list.each_item("a list of secrets", [&](const Value& value) { read_grant(value, true, spec); });
}

constexpr KeyRow kObjectKeys[] = {{"configs", read_configs}, {"secrets", read_secrets}};

}  // namespace

std::span<const KeyRow> object_keys() { return kObjectKeys; }

void read_file_objects(const Value& value, std::vector<FileObject>& objects) {
  if (value.is(Node::Kind::kNull)) return;
  if (!value.is(Node::Kind::kMapping)) return value.expected("a mapping");
  for (const Entry& entry : value.node().entries)
    if (!entry.key.starts_with("x-")) read_object(value.child(entry), entry.key, objects);
}

}  // namespace jaula::spec
