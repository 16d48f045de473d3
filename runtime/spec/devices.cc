// `devices`: docker's short form and the Compose Specification's long one.
#include <limits.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/text.h"
#include "runtime/spec/service_keys.h"

namespace jaula::spec {
namespace {

constexpr std::string_view kForm = "/dev/x, /dev/x:/dev/y or /dev/x:/dev/y:rwm";
constexpr std::string_view kPermissions = "some of r, w and m, each once";

// False where the text is none.
bool read_permissions(std::string_view text, Device& device) {
  device.read = device.write = device.make = false;
  for (const char c : text) {
    bool* permission = c == 'r'   ? &device.read
                       : c == 'w' ? &device.write
                       : c == 'm' ? &device.make
                                  : nullptr;
    if (permission == nullptr || *permission) return false;
    *permission = true;
  }
  return !text.empty();
}

std::optional<std::string> device_source(const Value& value, std::string_view path) {
  if (!path.starts_with('/') && path.find('=') != std::string_view::npos) {
    value.not_supported("a device is named by its path, such as /dev/fuse");
    return std::nullopt;
  }
  if (path.starts_with('/') && path.size() < PATH_MAX) return normalised(path);
  value.fail("expected the absolute path of a device, got \"" + clipped(path) + '"');
  return std::nullopt;
}

std::optional<std::string> device_target(const Value& value, std::string_view path) {
  std::optional<std::string> target = jail_path(value, path);
  if (!target || *target != "/") return target;
  value.fail("the root of the jail cannot be a device");
  return std::nullopt;
}

void read_short(const Value& value, Device& device) {
  const std::vector<std::string_view> parts = split(value.node().text, ':');
  if (parts.size() > 3) return value.expected(kForm);
  // docker: what is second may be the permissions.
  std::string_view target = parts[0];
  std::string_view permissions = "rwm";
  if (parts.size() > 1) {
    Device ignored;
    const bool two = parts.size() == 2 && read_permissions(parts[1], ignored);
    (two ? permissions : target) = parts[1];
  }
  if (parts.size() > 2) permissions = parts[2];
  if (!read_permissions(permissions, device))
    return value.fail("expected " + std::string(kPermissions) + ", got \"" + clipped(permissions) +
                      '"');
  device.source = device_source(value, parts[0]).value_or("");
  if (!device.source.empty()) device.target = device_target(value, target).value_or("");
}

void read_long(const Value& list_item, Device& device) {
  static constexpr std::array<std::string_view, 3> kKeys = {"source", "target", "permissions"};
  for (const Entry& entry : list_item.node().entries) {
    const Value value = list_item.child(entry);
    if (std::find(kKeys.begin(), kKeys.end(), entry.key) == kKeys.end()) {
      if (!entry.key.starts_with("x-"))
        value.fail_key("unknown key" + value.context().did_you_mean(entry.key, kKeys));
      continue;
    }
    const auto text = value.text(entry.key == "permissions" ? kPermissions : "a path");
    if (!text) return;
    if (entry.key == "source")
      device.source = device_source(value, *text).value_or("");
    else if (entry.key == "target")
      device.target = device_target(value, *text).value_or("");
    else if (!read_permissions(*text, device))
      value.expected(kPermissions);
  }
  if (list_item.node().find("source") == nullptr) list_item.fail("needs `source`");
  if (list_item.node().find("target") == nullptr) device.target = device.source;
}

}  // namespace

void read_devices(const Value& list, ServiceSpec& spec) {
  list.each_item("a list of devices", [&](const Value& value) {
    Device device{.source = {}, .target = {}, .origin = value.origin()};
    if (value.is(Node::Kind::kScalar))
      read_short(value, device);
    else if (value.is(Node::Kind::kMapping))
      read_long(value, device);
    else
      return value.expected(kForm);
    if (device.source.empty() || device.target.empty()) return;
    if (value.node().place.flag >= 0)
      std::erase_if(spec.devices,
                    [&](const Device& other) { return other.target == device.target; });
    spec.devices.push_back(std::move(device));
  });
}

}  // namespace jaula::spec
