#include "runtime/spec/service_reader.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "runtime/spec/known_keys.h"
#include "runtime/spec/service_keys.h"
#include "runtime/spec/value.h"

namespace jaula::spec {
namespace {

constexpr std::string_view kNameForm =
    "a name (letters, digits, `_`, `.` and `-`, at most 64 characters)";

const std::vector<KeyRow>& service_keys() {
  static const std::vector<KeyRow> rows = [] {
    std::vector<KeyRow> all;
    for (const auto group : {file_keys(), volume_keys(), object_keys(), process_keys(), name_keys(),
                             resource_keys(), isolation_keys(), namespace_keys()})
      all.insert(all.end(), group.begin(), group.end());
    return all;
  }();
  return rows;
}

bool is_service_key(std::string_view key) {
  const std::vector<KeyRow>& rows = service_keys();
  return std::any_of(rows.begin(), rows.end(), [&](const KeyRow& row) { return row.name == key; });
}

bool is_later_key(std::string_view key) {
  return std::find(std::begin(kLaterComposeKeys), std::end(kLaterComposeKeys), key) !=
             std::end(kLaterComposeKeys) ||
         std::find(std::begin(kLaterJailKeys), std::end(kLaterJailKeys), key) !=
             std::end(kLaterJailKeys);
}

// Only for a message: what a hand may have meant by `key`.
std::string near_service_key(const Context& context, std::string_view key) {
  std::vector<std::string_view> names(std::begin(kLaterComposeKeys), std::end(kLaterComposeKeys));
  names.insert(names.end(), std::begin(kLaterJailKeys), std::end(kLaterJailKeys));
  for (const KeyRow& row : service_keys()) names.push_back(row.name);
  return context.did_you_mean(key, names);
}

void refuse_service_key(const Value& value, std::string_view key) {
  if (key == "image")
    return value.fail_key("not supported yet; use `rootfs: host` or `rootfs:` a directory");
  if (is_later_key(key)) return value.fail_key("not supported yet");
  value.fail_key("unknown key" + near_service_key(value.context(), key));
}

// Volumes, devices, tmpfs, configs and secrets share one tree: a target that is taken would hide
// what is there.
void check_mount_targets(Context& context, const ServiceSpec& spec) {
  std::vector<std::pair<std::string_view, const Origin*>> targets;
  for (const Volume& volume : spec.volumes) targets.emplace_back(volume.target, &volume.origin);
  for (const Device& device : spec.devices) targets.emplace_back(device.target, &device.origin);
  for (const Tmpfs& tmpfs : spec.tmpfs) targets.emplace_back(tmpfs.target, &tmpfs.origin);
  for (const GrantedFile& file : spec.files) targets.emplace_back(file.target, &file.origin);
  std::stable_sort(targets.begin(), targets.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < targets.size(); ++i) {
    const auto& [target, origin] = targets[i];
    if (target == targets[i - 1].first)
      context.problems.add(
          *origin, clipped(target) + " is already the target of " + targets[i - 1].second->text());
  }
}

void read_service_keys(const Value& service, ServiceSpec& spec) {
  const std::vector<KeyRow>& rows = service_keys();
  std::vector<const Entry*> given(rows.size());
  for (const Entry& entry : service.node().entries) {
    if (entry.key.starts_with("x-")) continue;
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const KeyRow& r) { return r.name == entry.key; });
    if (row == rows.end())
      refuse_service_key(service.child(entry), entry.key);
    else
      given[static_cast<std::size_t>(row - rows.begin())] = &entry;
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (given[i] != nullptr) rows[i].read(service.child(*given[i]), spec);
}

std::optional<ServiceSpec> read_service(const Value& services, const Entry& entry) {
  const Value service = services.child(entry);
  if (!is_name(entry.key))
    return service.fail_key("expected " + std::string(kNameForm)), std::nullopt;
  if (!service.is(Node::Kind::kMapping) && !service.is(Node::Kind::kNull))
    return service.expected("a mapping"), std::nullopt;
  ServiceSpec spec;
  spec.name = entry.key;
  spec.origin = service.key_origin();
  read_service_keys(service, spec);
  const Node* image = service.node().find("image");
  if (service.node().find("rootfs") == nullptr && image == nullptr)
    service.fail_key("needs `rootfs: host` or a directory");
  check_mount_targets(service.context(), spec);
  return spec;
}

void read_services(const Value& services, SpecFile& file) {
  if (!services.is(Node::Kind::kMapping)) return services.expected("a mapping of services");
  if (services.node().entries.empty()) return services.fail("needs at least one service");
  for (const Entry& entry : services.node().entries) {
    if (services.context().problems.full()) return;
    if (std::optional<ServiceSpec> spec = read_service(services, entry))
      file.services.push_back(*std::move(spec));
  }
}

void refuse_top_level_key(const Value& value, std::string_view key) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "name", "services", "configs", "include", "models", "networks", "secrets", "volumes"};
  if (key == "version") {
    value.warn("obsolete, without effect");
  } else if (std::find(std::begin(kLaterTopLevelKeys), std::end(kLaterTopLevelKeys), key) !=
             std::end(kLaterTopLevelKeys)) {
    value.fail_key("not supported yet");
  } else if (is_service_key(key) || is_later_key(key)) {
    value.fail_key("a key of a service; it belongs under `services:` and the service's name");
  } else {
    value.fail_key("unknown key" + value.context().did_you_mean(key, kNames));
  }
}

}  // namespace

void read_spec(Context& context, const Node& tree, std::string fallback, SpecFile& file) {
  const Value root(context, tree, {}, tree.place);
  file.name = std::move(fallback);
  if (!root.is(Node::Kind::kMapping)) return root.expected("a mapping with `services:`");
  for (const Entry& entry : tree.entries)  // which services name, wherever they stand
    if (entry.key == "configs" || entry.key == "secrets")
      read_file_objects(root.child(entry),
                        entry.key == "configs" ? context.configs : context.secrets);
  for (const Entry& entry : tree.entries) {
    const Value value = root.child(entry);
    if (entry.key == "configs" || entry.key == "secrets") continue;
    if (entry.key == "name") {
      const auto name = value.text(kNameForm);
      if (name && !is_name(*name))
        value.expected(kNameForm);
      else if (name)
        file.name = *name;
    } else if (entry.key == "services") {
      read_services(value, file);
    } else if (!entry.key.starts_with("x-")) {
      refuse_top_level_key(value, entry.key);
    }
  }
  if (tree.find("services") == nullptr) root.fail("needs `services:`");
  for (ServiceSpec& service : file.services) service.project = file.name;
  file.configs = context.configs;
  file.secrets = context.secrets;
}

}  // namespace jaula::spec
