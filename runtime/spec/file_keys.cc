// Keys about the root of a service, and the paths that all keys have.
#include <limits.h>

#include <algorithm>

#include "runtime/base/text.h"
#include "runtime/spec/service_keys.h"

namespace jaula::spec {
namespace {

void read_rootfs(const Value& value, ServiceSpec& spec) {
  const auto text = value.text("`host` or a directory");
  if (!text) return;
  if (text->empty()) return value.expected("`host` or a directory");
  keep(spec.rootfs, value, *text == "host" ? text : host_path(value, *text));
}

void read_read_only(const Value& value, ServiceSpec& spec) {
  keep(spec.read_only, value, value.boolean());
}

void read_ephemeral(const Value& value, ServiceSpec& spec) {
  keep(spec.ephemeral, value, value.boolean());
}

constexpr KeyRow kFileKeys[] = {
    {"rootfs", read_rootfs},
    {"devices", read_devices},
    {"read_only", read_read_only},
    {"ephemeral", read_ephemeral},
};

}  // namespace

std::span<const KeyRow> file_keys() { return kFileKeys; }

std::optional<std::string> host_path(const Value& value, std::string_view path) {
  const Result<std::string> absolute = value.context().absolute(path, value.node().place);
  if (!absolute) {
    value.fail(std::string(absolute.error().text()));
    return std::nullopt;
  }
  if (absolute->size() < PATH_MAX) return *absolute;
  value.fail("the path is longer than 4095 bytes");
  return std::nullopt;
}

std::optional<std::string> jail_path(const Value& value, std::string_view path) {
  if (!path.starts_with('/') || path.size() >= PATH_MAX) {
    value.fail("expected an absolute path in the jail, got \"" + clipped(path) + '"');
    return std::nullopt;
  }
  const std::vector<std::string_view> parts = split(path, '/');
  if (std::find(parts.begin(), parts.end(), "..") == parts.end()) return normalised(path);
  value.fail("expected a path without `..`, got \"" + clipped(path) + '"');
  return std::nullopt;
}

}  // namespace jaula::spec
