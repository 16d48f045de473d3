#include "runtime/plan/etc_files.h"

#include <algorithm>

#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include "runtime/plan/masks.h"

namespace jaula::plan {
namespace {

const spec::MountConfig* mount_over(const spec::JailConfig& config, const std::string& path) {
  const auto& mounts = config.mounts;
  const auto found = std::find_if(mounts.begin(), mounts.end(), [&](const auto& mount) {
    return is_at_or_below(path, mount.destination);
  });
  return found == mounts.end() ? nullptr : &*found;
}

std::string hosts_file(const spec::JailConfig& config) {
  std::string text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  // One that is joined is not known.
  if (!config.hostname.empty()) text += "127.0.1.1\t" + config.hostname + "\n";
  for (const spec::HostName& host : config.extra.hosts.names)
    text += host.address + "\t" + host.name + "\n";
  return text;
}

// The lines of the host's that no key takes the place of: as docker, each key is a choice of its
// own.
std::string kept_of_host(const std::string& text, const spec::Resolver& resolver) {
  std::string kept;
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view word = trim(line.substr(0, line.find_first_of(" \t")));
    const bool replaced = (word == "nameserver" && !resolver.servers.empty()) ||
                          ((word == "search" || word == "domain") && !resolver.search.empty()) ||
                          (word == "options" && !resolver.options.empty());
    const bool comment = word.starts_with('#') || word.starts_with(';');
    if (!replaced && !comment && !trim(line).empty()) kept.append(line).append("\n");
  }
  return kept;
}

std::string resolver_line(std::string_view word, const std::vector<std::string>& values) {
  std::string line;
  for (const std::string& value : values)
    if (value != ".") line += " " + value;
  return line.empty() ? "" : std::string(word) + line + "\n";
}

std::string resolver_file(const spec::Resolver& resolver, const std::string& of_host) {
  std::string text;
  for (const std::string& server : resolver.servers) text += "nameserver " + server + "\n";
  text += resolver_line("search", resolver.search);
  text += resolver_line("options", resolver.options);
  return text + kept_of_host(of_host, resolver);
}

}  // namespace

std::vector<EtcFile> make_etc_files(const spec::JailConfig& config, bool own_network) {
  const spec::Resolver& resolver = config.extra.resolver;
  std::vector<EtcFile> files;
  if (!config.hostname.empty()) files.push_back({"hostname", config.hostname + "\n", ""});
  files.push_back({"hosts", hosts_file(config), config.extra.hosts.origin});
  const std::string of_host = own_network ? "" : read_or_empty("/etc/resolv.conf");
  if (!resolver.origin.empty())
    files.push_back({"resolv.conf", resolver_file(resolver, of_host), resolver.origin});
  else if (!of_host.empty())
    files.push_back({"resolv.conf", of_host, ""});
  std::erase_if(files, [&](const EtcFile& file) {
    return mount_over(config, std::string("/etc/") + file.name) != nullptr;
  });
  return files;
}

std::vector<Error> check_etc_files(const spec::JailConfig& config) {
  std::vector<Error> problems;
  for (const auto& [path, origin] : {std::pair{"/etc/resolv.conf", &config.extra.resolver.origin},
                                     std::pair{"/etc/hosts", &config.extra.hosts.origin}}) {
    if (origin->empty()) continue;
    if (const spec::MountConfig* mount = mount_over(config, path))
      problems.push_back(Error(0, *origin, ": ", path, " would lie under the mount on ",
                               mount->destination, " (", mount->origin, ")")
                             .hint("leave one of the two out"));
  }
  return problems;
}

}  // namespace jaula::plan
