// `volumes` and `tmpfs`: what a service mounts.
#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/text.h"
#include "runtime/spec/service_keys.h"
#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

constexpr std::string_view kVolumeForm = "SOURCE:TARGET or SOURCE:TARGET:ro";

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

// Mounts of a jail are private, and stay so: nothing that is mounted travels in or out.
bool is_propagation(std::string_view word) {
  static constexpr std::array<std::string_view, 6> kWords = {"shared", "rshared",    "slave",
                                                             "rslave", "unbindable", "runbindable"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

constexpr std::string_view kPrivateMounts =
    "` is not possible: the mounts of a jail are private; leave it out";

// A word of mount(8), docker or podman.
bool read_volume_option(const Value& value, std::string_view option, Volume& volume) {
  static constexpr std::array<std::string_view, 9> kLater = {
      "z", "Z", "U", "nocopy", "copy", "consistent", "cached", "delegated", "O"};
  if (option == "ro" || option == "rw") {
    volume.read_only = option == "ro";
  } else if (option == "bind" || option == "rbind") {
    volume.recursive = option == "rbind";
  } else if (option == "suid" || option == "nosuid") {
    volume.suid = option == "suid";
  } else if (option == "exec" || option == "noexec") {
    volume.exec = option == "exec";
  } else if (option == "idmap") {
    volume.idmap = true;
  } else if (option == "dev") {
    value.fail("option `dev`: device nodes of a volume stay closed; see `devices`");
    return false;
  } else if (is_propagation(option)) {
    value.fail("option `" + std::string(option) + std::string(kPrivateMounts));
    return false;
  } else if (option != "nodev" && option != "private" && option != "rprivate") {
    const bool known = option.starts_with("idmap=") ||
                       std::find(kLater.begin(), kLater.end(), option) != kLater.end();
    value.fail("option `" + clipped(option) +
               (known ? "` is not supported yet"
                      : "` is unknown; expected one of ro, rw, nosuid, suid, noexec, exec, nodev, "
                        "bind, rbind, idmap"));
    return false;
  }
  return true;
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

void read_propagation(const Value& value) {
  const auto word = value.text("`private` or `rprivate`");
  if (!word || *word == "private" || *word == "rprivate") return;
  if (is_propagation(*word)) return value.fail("`" + *word + std::string(kPrivateMounts));
  value.expected("`private` or `rprivate`");
}

void read_recursive(const Value& value, Volume& volume) {
  constexpr std::string_view kWhat = "`enabled`, `disabled` or `readonly`";
  const auto word = value.text(kWhat);
  if (!word) return;
  if (*word == "writable")
    return value.not_supported("what is mounted below a read-only volume is read-only too");
  if (*word != "enabled" && *word != "disabled" && *word != "readonly")
    return value.expected(kWhat);
  volume.recursive = *word != "disabled";
}

void read_bind_options(const Value& value, Volume& volume) {
  if (value.is(Node::Kind::kNull)) return;
  if (!value.is(Node::Kind::kMapping)) return value.expected("a mapping");
  for (const Entry& entry : value.node().entries) {
    const Value option = value.child(entry);
    if (entry.key == "create_host_path") {
      volume.create_host_path = option.boolean().value_or(false);
    } else if (entry.key == "propagation") {
      read_propagation(option);
    } else if (entry.key == "recursive") {
      read_recursive(option, volume);
    } else if (entry.key == "selinux") {
      option.fail_key("not supported yet");
    } else {
      option.fail_key("unknown key");
    }
  }
}

void read_option_words(const Value& list, Volume& volume) {
  list.each_item_or_one("a list of options such as noexec", [&](const Value& value) {
    if (const auto word = value.text("an option such as noexec"))
      read_volume_option(value, *word, volume);
  });
}

void read_volume_key(const Value& volume_value, const Entry& entry, Volume& volume) {
  static constexpr std::array<std::string_view, 8> kKeys = {
      "type", "source", "target", "read_only", "bind", "create_host_path", "options", "tmpfs"};
  const Value value = volume_value.child(entry);
  if (entry.key == "source" || entry.key == "target") {
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
  } else if (entry.key == "options") {
    read_option_words(value, volume);
  } else if (entry.key == "tmpfs") {
    value.fail_key("belongs to `type: tmpfs`");
  } else if (entry.key == "volume" || entry.key == "consistency" || entry.key == "image") {
    value.fail_key("not supported yet");
  } else if (entry.key != "type") {
    value.fail_key("unknown key" + value.context().did_you_mean(entry.key, kKeys));
  }
}

std::optional<Volume> read_long_volume(const Value& value) {
  Volume volume;
  volume.origin = value.origin();
  for (const Entry& entry : value.node().entries) read_volume_key(value, entry, volume);
  if (value.node().find("source") == nullptr) value.fail("needs `source`");
  if (value.node().find("target") == nullptr) value.fail("needs `target`");
  if (volume.source.empty() || volume.target.empty()) return std::nullopt;
  return volume;
}

void read_tmpfs_settings(const Value& value, Tmpfs& tmpfs) {
  if (value.is(Node::Kind::kNull)) return;
  if (!value.is(Node::Kind::kMapping)) return value.expected("a mapping");
  for (const Entry& entry : value.node().entries) {
    const Value setting = value.child(entry);
    const auto text = setting.text("a string or a number");
    if (entry.key == "size") {
      tmpfs.size = text ? parse_size(*text) : std::nullopt;
      if (text && tmpfs.size.value_or(0) == 0) setting.expected("a size such as 64m");
    } else if (entry.key == "mode") {
      tmpfs.mode = text ? parse_mode(*text) : std::nullopt;
      if (text && !tmpfs.mode) setting.expected("an octal mode such as 1777");
    } else {
      setting.fail_key("unknown key");
    }
  }
}

std::optional<Tmpfs> read_long_tmpfs(const Value& value) {
  Tmpfs tmpfs{.target = {}, .size = {}, .mode = {}, .origin = value.origin()};
  for (const Entry& entry : value.node().entries) {
    const Value key = value.child(entry);
    if (entry.key == "target") {
      if (const auto text = key.text("a path"))
        tmpfs.target = mount_target(key, *text).value_or("");
    } else if (entry.key == "read_only") {
      tmpfs.read_only = key.boolean().value_or(false);
    } else if (entry.key == "tmpfs") {
      read_tmpfs_settings(key, tmpfs);
    } else if (entry.key != "type") {
      key.fail_key("not a key of `type: tmpfs`");
    }
  }
  if (value.node().find("target") == nullptr) value.fail("needs `target`");
  if (tmpfs.target.empty()) return std::nullopt;
  return tmpfs;
}

// A flag of the command line takes the place of what the file mounts on the same target.
template <class Mount>
void add_mount(std::vector<Mount>& mounts, const Value& value, std::optional<Mount> mount) {
  if (!mount) return;
  if (value.node().place.flag >= 0)
    std::erase_if(mounts, [&](const Mount& other) { return other.target == mount->target; });
  mounts.push_back(*std::move(mount));
}

void read_long(const Value& value, ServiceSpec& spec) {
  const Node* type = value.node().find("type");
  if (type == nullptr) return value.fail("needs `type: bind`");
  if (type->text == "tmpfs") return add_mount(spec.tmpfs, value, read_long_tmpfs(value));
  if (type->text == "bind") return add_mount(spec.volumes, value, read_long_volume(value));
  for (const Entry& entry : value.node().entries) {
    if (entry.key != "type") continue;
    const Value value_of_type = value.child(entry);
    const auto word = value_of_type.text("`bind` or `tmpfs`");
    if (word == "volume" || word == "image" || word == "npipe" || word == "cluster")
      return value_of_type.not_supported("`bind` and `tmpfs` are");
    if (word) value_of_type.expected("`bind` or `tmpfs`");
  }
}

void read_volumes(const Value& list, ServiceSpec& spec) {
  list.each_item("a list of volumes", [&](const Value& value) {
    if (value.is(Node::Kind::kScalar))
      return add_mount(spec.volumes, value, read_short_volume(value));
    if (value.is(Node::Kind::kMapping)) return read_long(value, spec);
    value.expected(kVolumeForm);
  });
}

bool read_tmpfs_word(const Value& value, std::string_view word, Tmpfs& tmpfs) {
  if (word == "ro" || word == "rw") {
    tmpfs.read_only = word == "ro";
  } else if (word == "exec" || word == "noexec") {
    tmpfs.exec = word == "exec";
  } else if (word == "tmpcopyup" || word == "notmpcopyup") {
    tmpfs.copy_up = word == "tmpcopyup";
  } else if (word != "nosuid" && word != "nodev") {  // every tmpfs of a jail is so
    value.fail(
        "expected size=64m, mode=1777, uid=N, gid=N, ro, exec or tmpcopyup as an option, "
        "got \"" +
        clipped(word) + '"');
    return false;
  }
  return true;
}

bool read_tmpfs_option(const Value& value, std::string_view option, Tmpfs& tmpfs) {
  constexpr std::uint64_t kLastId = UINT32_MAX - 1;
  const std::size_t equals = option.find('=');
  if (equals == std::string_view::npos) return read_tmpfs_word(value, option, tmpfs);
  const std::string_view name = option.substr(0, equals);
  const std::string_view text = option.substr(equals + 1);
  if (name == "size") {
    tmpfs.size = parse_size(text);
    if (tmpfs.size && *tmpfs.size > 0) return true;
  } else if (name == "mode") {
    tmpfs.mode = parse_mode(text);
    if (tmpfs.mode) return true;
  } else if (name == "uid" || name == "gid") {
    const auto id = parse_decimal(text, kLastId);
    if (id) (name == "uid" ? tmpfs.uid : tmpfs.gid) = static_cast<std::uint32_t>(*id);
    if (id) return true;
  }
  return read_tmpfs_word(value, option, tmpfs);
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

constexpr KeyRow kVolumeKeys[] = {{"volumes", read_volumes}, {"tmpfs", read_tmpfs}};

}  // namespace

std::span<const KeyRow> volume_keys() { return kVolumeKeys; }

}  // namespace jaula::spec
