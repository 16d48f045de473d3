#include "runtime/plan/lower_files.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace jaula::plan {

void lower_mounts(const spec::ServiceSpec& service, spec::JailConfig& config) {
  for (const spec::Tmpfs& tmpfs : service.tmpfs) {
    spec::MountConfig mount{.destination = tmpfs.target,
                            .type = "tmpfs",
                            .source = "tmpfs",
                            .options = {"nosuid", "nodev"},
                            .origin = tmpfs.origin.text()};
    if (!tmpfs.exec) mount.options.emplace_back("noexec");
    if (tmpfs.read_only) mount.options.emplace_back("ro");
    // With a copy, the directory's own mode is the default.
    if (tmpfs.copy_up) mount.options.emplace_back("tmpcopyup");
    char mode[16];
    std::snprintf(mode, sizeof mode, "mode=%04o", tmpfs.mode.value_or(01777));
    if (tmpfs.mode || !tmpfs.copy_up) mount.options.emplace_back(mode);
    if (tmpfs.size) mount.options.push_back("size=" + std::to_string(*tmpfs.size));
    if (tmpfs.uid) mount.options.push_back("uid=" + std::to_string(*tmpfs.uid));
    if (tmpfs.gid) mount.options.push_back("gid=" + std::to_string(*tmpfs.gid));
    config.mounts.push_back(std::move(mount));
  }
  for (const spec::Volume& volume : service.volumes) {
    spec::MountConfig mount{.destination = volume.target,
                            .type = "bind",
                            .source = volume.source,
                            .options = {volume.recursive ? "rbind" : "bind"},
                            .origin = volume.origin.text()};
    if (!volume.suid) mount.options.emplace_back("nosuid");
    mount.options.emplace_back("nodev");
    mount.options.emplace_back(volume.read_only ? "ro" : "rw");
    if (!volume.exec) mount.options.emplace_back("noexec");
    if (volume.idmap) mount.options.emplace_back("idmap");
    if (volume.create_host_path) mount.options.emplace_back("x-create");
    config.mounts.push_back(std::move(mount));
  }
  // A mount inside another comes after it.
  std::stable_sort(config.mounts.begin(), config.mounts.end(), [](const auto& a, const auto& b) {
    return std::count(a.destination.begin(), a.destination.end(), '/') <
           std::count(b.destination.begin(), b.destination.end(), '/');
  });
}

void lower_files(const spec::ServiceSpec& service, spec::JailConfig& config) {
  for (const spec::GrantedFile& file : service.files) {
    const spec::FileObject& object = file.object;
    config.extra.files.push_back(
        {.destination = file.target,
         .secret = file.secret,
         .from = object.from,
         .source = object.from == spec::FileFrom::kContent ? "" : object.value,
         .uid = file.uid.value_or(config.process.user.uid),
         .gid = file.gid.value_or(config.process.user.gid),
         .mode = file.mode.value_or(0444),
         .content = object.content,
         .origin = file.origin.text()});
  }
}

void lower_names(const spec::ServiceSpec& service, spec::JailConfig& config) {
  spec::Resolver& resolver = config.extra.resolver;
  for (const auto& [from, to] : {std::pair{&service.dns, &resolver.servers},
                                 std::pair{&service.dns_search, &resolver.search},
                                 std::pair{&service.dns_opt, &resolver.options}})
    for (const auto& value : *from) {
      to->push_back(value.value);
      if (resolver.origin.empty()) resolver.origin = value.origin.text();
    }
  for (const spec::ExtraHost& host : service.extra_hosts) {
    config.extra.hosts.names.push_back({host.name, host.address});
    if (config.extra.hosts.origin.empty()) config.extra.hosts.origin = host.origin.text();
  }
}

}  // namespace jaula::plan
