// A SpecFile as YAML: one order, one form for each key.
#include <utility>

#include "runtime/spec/seccomp_names.h"
#include "runtime/spec/service_spec.h"
#include "runtime/spec/units.h"
#include "runtime/spec/yaml_text.h"

namespace jaula::spec {
namespace {

std::string limit_text(std::uint64_t value) {
  return value == UINT64_MAX ? "-1" : std::to_string(value);
}

template <class Items, class Format>
std::string flow_list(const Items& items, Format&& format) {
  std::string text = "[";
  for (const auto& item : items) text.append(text.size() > 1 ? ", " : "").append(format(item));
  return text + ']';
}

std::string words_text(const std::vector<std::string>& words) {
  return flow_list(words, yaml_value);
}

std::string boolean_text(bool value) { return value ? "true" : "false"; }

std::string namespace_text(const NamespaceChoice& choice) {
  switch (choice.mode) {
    case NamespaceMode::kPrivate:
      return "private";
    case NamespaceMode::kNone:
      return "none";
    case NamespaceMode::kHost:
      return "host";
    case NamespaceMode::kJoin:
      return yaml_value(choice.target);
  }
  return {};
}

std::string time_text(const TimeChoice& time) {
  if (!time.target.empty()) return "{time: " + yaml_value(time.target) + '}';
  const auto offset = [](std::chrono::milliseconds by) {
    return by.count() < 0 ? '-' + format_duration(-by) : format_duration(by);
  };
  return "{time: {boottime: " + offset(time.boottime) + ", monotonic: " + offset(time.monotonic) +
         "}}";
}

std::string argument_text(const SeccompArgument& argument) {
  std::string text =
      "{index: " + std::to_string(argument.index) + ", value: " + std::to_string(argument.value);
  if (argument.value_two != 0) text += ", valueTwo: " + std::to_string(argument.value_two);
  for (const Word<SeccompOperator>& word : kSeccompOperators)
    if (word.value == argument.op) text.append(", op: ").append(word.text);
  return text + '}';
}

std::string entry_text(const SeccompEntry& entry) {
  if (!entry.whole) return yaml_value(entry.name);
  std::string text = "{name: " + yaml_value(entry.name);
  if (!entry.args.empty()) text += ", args: " + flow_list(entry.args, argument_text);
  return text + '}';
}

std::string lists_text(const SeccompLists& lists) {
  std::string text;
  if (lists.allow) text += "allow: " + flow_list(*lists.allow, entry_text);
  if (!lists.deny.empty() || (!lists.allow && !lists.log))
    text.append(text.empty() ? "" : ", ").append("deny: ").append(words_text(lists.deny));
  if (lists.log) text.append(text.empty() ? "" : ", ").append("mode: log");
  return '{' + text + '}';
}

std::string seccomp_text(const Seccomp& seccomp) {
  switch (seccomp.profile) {
    case SeccompProfile::kDefault:
      return "default";
    case SeccompProfile::kStrict:
      return "strict";
    case SeccompProfile::kUnconfined:
      return "unconfined";
    case SeccompProfile::kFile:
      return yaml_value(seccomp.file.path);
    case SeccompProfile::kLists:
      return lists_text(seccomp.lists);
  }
  return {};
}

std::string layer_text(Layer layer) {
  switch (layer) {
    case Layer::kCgroup:
      return "cgroup";
    case Layer::kSeccomp:
      return "seccomp";
    case Layer::kLandlock:
      return "landlock";
    case Layer::kUserns:
      return "userns";
  }
  return {};
}

std::string scope_text(LandlockScope scope) {
  return scope == LandlockScope::kSignal ? "signal" : "abstract_unix_socket";
}

std::string id_map_entry_text(const IdMapEntry& entry) {
  return '"' + std::to_string(entry.inside) + ':' + std::to_string(entry.outside) + ':' +
         std::to_string(entry.count) + '"';
}

std::string tmpfs_text(const Tmpfs& tmpfs) {
  std::string options;
  if (tmpfs.size) options += ",size=" + format_size(*tmpfs.size);
  if (tmpfs.mode) options += ",mode=" + format_mode(*tmpfs.mode);
  if (tmpfs.uid) options += ",uid=" + std::to_string(*tmpfs.uid);
  if (tmpfs.gid) options += ",gid=" + std::to_string(*tmpfs.gid);
  for (const auto& [given, word] :
       {std::pair{tmpfs.read_only, ",ro"}, {tmpfs.exec, ",exec"}, {tmpfs.copy_up, ",tmpcopyup"}})
    if (given) options += word;
  if (!options.empty()) options[0] = ':';
  return yaml_value(tmpfs.target + options);
}

// The bytes of a secret are not printed. What is printed in their place asks for them when it is
// read.
std::string content_text(const FileObject& object, bool secret) {
  if (!secret) return yaml_value(object.value);
  std::string variable = "SECRET_";
  for (const char c : object.name) {
    const bool letter = c >= 'a' && c <= 'z';
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    variable += letter ? static_cast<char>(c - 'a' + 'A') : plain ? c : '_';
  }
  return "\"${" + variable + ":?the content of a secret is not printed}\"";
}

void write_objects(std::string& out, std::string_view key, const std::vector<FileObject>& objects) {
  if (objects.empty()) return;
  out.append(key).append(":\n");
  for (const FileObject& object : objects) {
    out += "  " + yaml_key(object.name);
    switch (object.from) {
      case FileFrom::kFile:
        out += ": {file: " + yaml_value(object.value) + "}\n";
        break;
      case FileFrom::kContent:
        out += ": {content: " + content_text(object, key == "secrets") + "}\n";
        break;
      case FileFrom::kEnvironment:
        out += ": {environment: " + yaml_value(object.value) + "}\n";
        break;
    }
  }
}

// The long form: a path may have a colon.
std::string device_text(const Device& device) {
  std::string permissions;
  for (const auto& [given, letter] :
       {std::pair{device.read, 'r'}, std::pair{device.write, 'w'}, std::pair{device.make, 'm'}})
    if (given) permissions += letter;
  return "{source: " + yaml_value(device.source) + ", target: " + yaml_value(device.target) +
         ", permissions: " + permissions + '}';
}

// Writes one service; the keys stand four columns in.
class ServiceWriter {
 public:
  explicit ServiceWriter(std::string& out) : out_(out) {}

  void write(const ServiceSpec& spec) {
    out_ += "  " + yaml_key(spec.name) + ":\n";
    const std::size_t start = out_.size();
    write_process(spec);
    write_files(spec);
    write_resources(spec);
    write_isolation(spec);
    write_map("labels", spec.labels);
    if (out_.size() == start) out_.insert(start - 1, " {}");
  }

 private:
  void line(std::string_view key, std::string_view value) {
    out_.append("    ").append(key).append(": ").append(value).append("\n");
  }

  template <class T, class Format>
  void write(std::string_view key, const Key<T>& value, Format&& format) {
    if (value) line(key, format(value->value));
  }

  template <class Pairs>
  void write_map(std::string_view key, const Pairs& pairs) {
    if (pairs.empty()) return;
    out_.append("    ").append(key).append(":\n");
    for (const auto& [name, value] : pairs)
      out_.append("      ").append(yaml_key(name)).append(": ").append(yaml_value(value) + '\n');
  }

  template <class Items, class Format>
  void write_list(std::string_view key, const Items& items, Format&& format) {
    if (!items.empty()) line(key, flow_list(items, format));
  }

  void write_process(const ServiceSpec& spec) {
    write("rootfs", spec.rootfs, yaml_value);
    write("entrypoint", spec.entrypoint, words_text);
    write("command", spec.command, words_text);
    write_map("environment", spec.environment);
    write("working_dir", spec.working_dir, yaml_value);
    write("user", spec.user, yaml_value);
    write_list("group_add", spec.group_add,
               [](const Sourced<std::string>& group) { return yaml_value(group.value); });
    write("hostname", spec.hostname, yaml_value);
    const auto name = [](const Sourced<std::string>& value) { return yaml_value(value.value); };
    write_list("dns", spec.dns, name);
    write_list("dns_search", spec.dns_search, name);
    write_list("dns_opt", spec.dns_opt, name);
    write_list("extra_hosts", spec.extra_hosts,
               [](const ExtraHost& host) { return yaml_value(host.name + '=' + host.address); });
    write("init", spec.init, boolean_text);
    write("stop_signal", spec.stop_signal, format_signal);
    write("stop_grace_period", spec.stop_grace_period, format_duration);
    write("time_limit", spec.time_limit, format_duration);
  }

  void write_files(const ServiceSpec& spec) {
    if (!spec.volumes.empty()) out_ += "    volumes:\n";
    for (const Volume& volume : spec.volumes) {
      out_ += "      - type: bind\n";
      out_ += "        source: " + yaml_value(volume.source) + '\n';
      out_ += "        target: " + yaml_value(volume.target) + '\n';
      if (volume.read_only) out_ += "        read_only: true\n";
      write_volume_options(volume);
    }
    write_list("tmpfs", spec.tmpfs, tmpfs_text);
    write_list("devices", spec.devices, device_text);
    for (const bool secret : {false, true}) write_files(spec.files, secret);
    write("read_only", spec.read_only, boolean_text);
    write("ephemeral", spec.ephemeral, boolean_text);
  }

  void write_volume_options(const Volume& volume) {
    std::string options;
    if (volume.create_host_path) options += ", create_host_path: true";
    if (!volume.recursive) options += ", recursive: disabled";
    if (!options.empty()) out_ += "        bind: {" + options.substr(2) + "}\n";
    std::string words;
    for (const auto& [given, word] :
         {std::pair{volume.suid, ", suid"}, {!volume.exec, ", noexec"}, {volume.idmap, ", idmap"}})
      if (given) words += word;
    if (!words.empty()) out_ += "        options: [" + words.substr(2) + "]\n";
  }

  void write_files(const std::vector<GrantedFile>& files, bool secret) {
    bool first = true;
    for (const GrantedFile& file : files) {
      if (file.secret != secret) continue;
      if (std::exchange(first, false)) out_ += secret ? "    secrets:\n" : "    configs:\n";
      out_ += "      - source: " + yaml_value(file.object.name) + '\n';
      out_ += "        target: " + yaml_value(file.target) + '\n';
      if (file.uid) out_ += "        uid: " + std::to_string(*file.uid) + '\n';
      if (file.gid) out_ += "        gid: " + std::to_string(*file.gid) + '\n';
      if (file.mode) out_ += "        mode: " + format_mode(*file.mode) + '\n';
    }
  }

  void write_resources(const ServiceSpec& spec) {
    const auto number = [](auto value) { return std::to_string(value); };
    write("mem_limit", spec.mem_limit, format_size);
    write("cpus", spec.cpus, format_cpus);
    write("cpu_shares", spec.cpu_shares, number);
    write("pids_limit", spec.pids_limit, number);
    write("shm_size", spec.shm_size, format_size);
    write("oom_score_adj", spec.oom_score_adj, number);
    if (!spec.ulimits.empty()) out_ += "    ulimits:\n";
    for (const Ulimit& limit : spec.ulimits)
      out_ += "      " + limit.name + ": {soft: " + limit_text(limit.soft) +
              ", hard: " + limit_text(limit.hard) + "}\n";
  }

  void write_isolation(const ServiceSpec& spec) {
    const auto capability = [](const Sourced<std::string>& name) { return name.value; };
    write_list("cap_add", spec.cap_add, capability);
    write_list("cap_drop", spec.cap_drop, capability);
    write("privileged", spec.privileged, boolean_text);
    write_security_opt(spec);
    const auto path = [](const Sourced<std::string>& item) { return yaml_value(item.value); };
    write_list("mask", spec.mask, path);
    write_list("readonly_paths", spec.readonly_paths, path);
    write("seccomp", spec.seccomp, seccomp_text);
    if (!spec.sysctls.empty()) out_ += "    sysctls:\n";
    for (const auto& sysctl : spec.sysctls)
      out_ +=
          "      " + yaml_key(sysctl.value.first) + ": " + yaml_value(sysctl.value.second) + '\n';
    write("network_mode", spec.network_mode, namespace_text);
    write("pid", spec.pid, namespace_text);
    write("ipc", spec.ipc, namespace_text);
    write("uts", spec.uts, namespace_text);
    write("cgroup", spec.cgroup, namespace_text);
    write("namespaces", spec.time, time_text);
    write("nesting", spec.nesting, [](std::int64_t depth) { return std::to_string(depth); });
    if (spec.userns_mode) write_userns(spec.userns_mode->value);
    if (spec.require) line("require", flow_list(spec.require->value, layer_text));
    if (spec.landlock) write_landlock(spec.landlock->value, spec.landlock_level);
    write("personality", spec.personality, [](Personality personality) {
      return std::string(personality == Personality::kLinux ? "linux" : "linux32");
    });
    write("core_scheduling", spec.core_scheduling, boolean_text);
  }

  void write_security_opt(const ServiceSpec& spec) {
    std::vector<std::string> options;
    if (spec.no_new_privileges)
      options.push_back("no-new-privileges:" + boolean_text(spec.no_new_privileges->value));
    if (spec.apparmor) options.push_back("apparmor=" + spec.apparmor->value);
    if (spec.selinux) {
      const SelinuxLabel& label = spec.selinux->value;
      if (label.disable) options.emplace_back("label=disable");
      for (const auto& [part, text] :
           {std::pair{"user", &label.user}, std::pair{"role", &label.role},
            std::pair{"type", &label.type}, std::pair{"level", &label.level}})
        if (!text->empty()) options.push_back("label=" + (part + (':' + *text)));
    }
    for (const auto& path : spec.unmask) options.push_back("unmask=" + path.value);
    if (!options.empty()) line("security_opt", words_text(options));
  }

  void write_landlock(const Landlock& landlock, const Key<LandlockLevel>& level) {
    const auto inner = [this](std::string_view key, const std::string& value) {
      out_.append("      ").append(key).append(": ").append(value).append("\n");
    };
    out_ += "    landlock:\n";
    for (const auto& [key, access] :
         {std::pair{"exec", FileAccess::kExecute}, std::pair{"ro", FileAccess::kRead},
          std::pair{"rw", FileAccess::kWrite}}) {
      std::vector<std::string> paths;
      for (const LandlockPath& path : landlock.paths)
        if (path.access == access) paths.push_back(path.path);
      if (!paths.empty()) inner(key, words_text(paths));
    }
    const auto number = [](std::uint32_t port) { return std::to_string(port); };
    if (landlock.connect_tcp) inner("connect_tcp", flow_list(*landlock.connect_tcp, number));
    if (landlock.bind_tcp) inner("bind_tcp", flow_list(*landlock.bind_tcp, number));
    if (!landlock.scopes.empty()) inner("scopes", flow_list(landlock.scopes, scope_text));
    if (level) inner("level", level->value == LandlockLevel::kRequire ? "require" : "prefer");
  }

  void write_userns(const UserNamespace& userns) {
    switch (userns.mode) {
      case UserNamespace::Mode::kAuto:
        return line("userns_mode", "auto");
      case UserNamespace::Mode::kHost:
        return line("userns_mode", "host");
      case UserNamespace::Mode::kKeepId:
        return line("userns_mode", "keep-id");
      case UserNamespace::Mode::kMap:
        out_ += "    userns_mode:\n      uid: " + flow_list(userns.uid_map, id_map_entry_text) +
                "\n      gid: " + flow_list(userns.gid_map, id_map_entry_text) + '\n';
    }
  }

  std::string& out_;
};

}  // namespace

std::string to_yaml(const SpecFile& file) {
  std::string out = "name: " + yaml_value(file.name) + '\n';
  out += file.services.empty() ? "services: {}\n" : "services:\n";
  ServiceWriter writer(out);
  for (const ServiceSpec& service : file.services) writer.write(service);
  write_objects(out, "configs", file.configs);
  write_objects(out, "secrets", file.secrets);
  return out;
}

}  // namespace jaula::spec
