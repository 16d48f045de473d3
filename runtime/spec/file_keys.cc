// Keys about what a service sees of the file system.
#include <limits.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/text.h"
#include "runtime/spec/service_keys.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

constexpr std::string_view kVolumeForm = "SOURCE:TARGET or SOURCE:TARGET:ro";

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

void read_rootfs(const Value& value, ServiceSpec& spec) {
  const auto text = value.text("`host` or a directory");
  if (!text) return;
  if (text->empty()) return value.expected("`host` or a directory");
  keep(spec.rootfs, value, *text == "host" ? text : host_path(value, *text));
}

// docker's rule for short volumes, but any slash makes a path: `data/x` is no volume's name.
bool is_named_volume(std::string_view source) {
  return !source.starts_with('.') && !source.starts_with('~') &&
         source.find('/') == std::string_view::npos;
}

std::optional<std::string> volume_source(const Value& value, std::string_view source) {
  if (source.empty()) {
    value.fail("the source is empty");
    return std::nullopt;
  }
  if (!is_named_volume(source)) return host_path(value, source);
  value.fail("named volume `" + clipped(source) +
             "` is not supported yet; for a directory write `./" + clipped(source) + "`");
  return std::nullopt;
}

std::optional<std::string> mount_target(const Value& value, std::string_view target) {
  std::optional<std::string> path = jail_path(value, target);
  if (!path || *path != "/") return path;
  value.fail("the root of the jail cannot be a mount's target");
  return std::nullopt;
}

bool read_volume_option(const Value& value, std::string_view option, Volume& volume) {
  static constexpr std::array<std::string_view, 16> kKnown = {
      "z",        "Z",      "U",          "shared", "rshared",   "slave", "rslave", "private",
      "rprivate", "nocopy", "consistent", "cached", "delegated", "exec",  "noexec", "idmap"};
  if (option == "ro" || option == "rw") {
    volume.read_only = option == "ro";
    return true;
  }
  const bool known = std::find(kKnown.begin(), kKnown.end(), option) != kKnown.end();
  value.fail("option `" + clipped(option) +
             (known ? "` is not supported yet" : "` is unknown; expected ro or rw"));
  return false;
}

std::optional<Volume> read_short_volume(const Value& value) {
  const std::vector<std::string_view> parts = split(value.node().text, ':');
  if (parts.size() == 1 && parts[0].starts_with('/')) {
    value.fail("an anonymous volume is not supported yet; for scratch space use `tmpfs`");
    return std::nullopt;
  }
  if (parts.size() < 2 || parts.size() > 3) return value.expected(kVolumeForm), std::nullopt;
  Volume volume;
  auto source = volume_source(value, parts[0]);
  auto target = mount_target(value, parts[1]);
  if (parts.size() == 3)
    for (const std::string_view option : split(parts[2], ','))
      if (!read_volume_option(value, option, volume)) return std::nullopt;
  if (!source || !target) return std::nullopt;
  volume.source = *std::move(source);
  volume.target = *std::move(target);
  volume.origin = value.origin();
  return volume;
}

void read_bind_options(const Value& value, Volume& volume) {
  if (value.is(Node::Kind::kNull)) return;
  if (!value.is(Node::Kind::kMapping)) return value.expected("a mapping");
  for (const Entry& entry : value.node().entries) {
    const Value option = value.child(entry);
    if (entry.key == "create_host_path") {
      volume.create_host_path = option.boolean().value_or(false);
    } else if (entry.key == "propagation" || entry.key == "selinux" || entry.key == "recursive") {
      option.fail_key("not supported yet");
    } else {
      option.fail_key("unknown key");
    }
  }
}

void read_volume_type(const Value& value) {
  const auto type = value.text("`bind`");
  if (!type || *type == "bind") return;
  if (*type == "tmpfs") return value.not_supported("use the key `tmpfs`");
  if (*type == "volume" || *type == "image" || *type == "npipe" || *type == "cluster")
    return value.not_supported("`bind` is");
  value.expected("`bind`");
}

void read_volume_key(const Value& volume_value, const Entry& entry, Volume& volume) {
  static constexpr std::array<std::string_view, 7> kKeys = {
      "type", "source", "target", "read_only", "bind", "create_host_path", "consistency"};
  const Value value = volume_value.child(entry);
  if (entry.key == "type") {
    read_volume_type(value);
  } else if (entry.key == "source" || entry.key == "target") {
    const bool is_source = entry.key == "source";
    const auto text = value.text("a path");
    if (!text) return;
    const auto path = is_source ? volume_source(value, *text) : mount_target(value, *text);
    (is_source ? volume.source : volume.target) = path.value_or("");
  } else if (entry.key == "read_only") {
    volume.read_only = value.boolean().value_or(false);
  } else if (entry.key == "bind") {
    read_bind_options(value, volume);
  } else if (entry.key == "create_host_path") {
    volume.create_host_path = value.boolean().value_or(false);
  } else if (entry.key == "volume" || entry.key == "tmpfs" || entry.key == "consistency" ||
             entry.key == "image") {
    value.fail_key("not supported yet");
  } else {
    value.fail_key("unknown key" + value.context().did_you_mean(entry.key, kKeys));
  }
}

std::optional<Volume> read_long_volume(const Value& value) {
  Volume volume;
  volume.origin = value.origin();
  bool has_type = false;
  bool has_source = false;
  bool has_target = false;
  for (const Entry& entry : value.node().entries) {
    has_type = has_type || entry.key == "type";
    has_source = has_source || entry.key == "source";
    has_target = has_target || entry.key == "target";
    read_volume_key(value, entry, volume);
  }
  if (!has_type) value.fail("needs `type: bind`");
  if (!has_source) value.fail("needs `source`");
  if (!has_target) value.fail("needs `target`");
  if (volume.source.empty() || volume.target.empty()) return std::nullopt;
  return volume;
}

// A flag of the command line takes the place of what the file mounts on the same target.
template <class Mount>
void add_mount(std::vector<Mount>& mounts, const Value& value, std::optional<Mount> mount) {
  if (!mount) return;
  if (value.node().place.flag >= 0)
    std::erase_if(mounts, [&](const Mount& other) { return other.target == mount->target; });
  mounts.push_back(*std::move(mount));
}

void read_volumes(const Value& list, ServiceSpec& spec) {
  list.each_item("a list of volumes", [&](const Value& value) {
    if (value.is(Node::Kind::kScalar))
      return add_mount(spec.volumes, value, read_short_volume(value));
    if (value.is(Node::Kind::kMapping))
      return add_mount(spec.volumes, value, read_long_volume(value));
    value.expected(kVolumeForm);
  });
}

bool read_tmpfs_option(const Value& value, std::string_view option, Tmpfs& tmpfs) {
  for (const std::string_view given : {"rw", "nosuid", "nodev", "noexec"})
    if (option == given) return true;  // every tmpfs of a jail is so
  if (option.starts_with("size=")) {
    tmpfs.size = parse_size(option.substr(5));
    if (tmpfs.size && *tmpfs.size > 0) return true;
  } else if (option.starts_with("mode=")) {
    tmpfs.mode = parse_mode(option.substr(5));
    if (tmpfs.mode) return true;
  }
  value.fail("expected size=64m or mode=1777 as an option, got \"" + clipped(option) + '"');
  return false;
}

std::optional<Tmpfs> read_tmpfs_item(const Value& value) {
  const auto text = value.text("TARGET or TARGET:size=64m,mode=1777");
  if (!text) return std::nullopt;
  const std::size_t colon = text->find(':');
  auto target = mount_target(value, std::string_view(*text).substr(0, colon));
  if (!target) return std::nullopt;
  Tmpfs tmpfs{.target = *std::move(target), .size = {}, .mode = {}, .origin = value.origin()};
  if (colon == std::string::npos) return tmpfs;
  for (const std::string_view option : split(std::string_view(*text).substr(colon + 1), ','))
    if (!read_tmpfs_option(value, option, tmpfs)) return std::nullopt;
  return tmpfs;
}

void read_tmpfs(const Value& list, ServiceSpec& spec) {
  list.each_item_or_one("a path or a list of paths", [&](const Value& value) {
    add_mount(spec.tmpfs, value, read_tmpfs_item(value));
  });
}

void read_read_only(const Value& value, ServiceSpec& spec) {
  keep(spec.read_only, value, value.boolean());
}

void read_ephemeral(const Value& value, ServiceSpec& spec) {
  keep(spec.ephemeral, value, value.boolean());
}

constexpr KeyRow kFileKeys[] = {
    {"rootfs", read_rootfs},   {"volumes", read_volumes},     {"tmpfs", read_tmpfs},
    {"devices", read_devices}, {"read_only", read_read_only}, {"ephemeral", read_ephemeral},
};

}  // namespace

std::span<const KeyRow> file_keys() { return kFileKeys; }

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
