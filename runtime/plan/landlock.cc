#include "runtime/plan/landlock.h"

#include <errno.h>

#include <algorithm>

#include "runtime/base/text.h"

namespace jaula::plan {
namespace {

using namespace isolation;
using spec::FileAccess;
using spec::LandlockScope;

enum Abi {
  kFiles = 1,
  kRenames = 2,
  kTruncation = 3,
  kTcp = 4,
  kDevices = 5,
  kScoping = 6,
  kAudit = 7
};

constexpr LandlockFeature kFeatures[] = {
    {kFiles, "5.13", "files cannot be held back"},
    {kRenames, "5.19", "no file can be renamed into another directory", false},
    {kTruncation, "6.2", "files cannot be kept from being truncated"},
    {kTcp, "6.7", "TCP ports cannot be held back"},
    {kDevices, "6.10", "ioctl(2) on devices cannot be held back"},
    {kScoping, "6.12", "signals and abstract UNIX sockets cannot be held back"},
    {kAudit, "6.15", "what a jail refuses itself is in the host's audit log", false},
};

constexpr std::uint64_t kToRead = kReadFile | kReadDirectory;
constexpr std::uint64_t kToExecute = kToRead | kExecuteFile;
constexpr std::uint64_t kToWrite = kToRead | kWriteFile | kRemoveDirectory | kRemoveFile |
                                   kMakeCharacterDevice | kMakeDirectory | kMakeFile | kMakeSocket |
                                   kMakeFifo | kMakeBlockDevice | kMakeLink | kRefer | kTruncate |
                                   kControlDevice;

std::uint64_t file_rights(int abi) {
  if (abi < kFiles) return 0;
  std::uint64_t rights = kToExecute | kToWrite;
  if (abi < kRenames) rights &= ~std::uint64_t{kRefer};
  if (abi < kTruncation) rights &= ~std::uint64_t{kTruncate};
  if (abi < kDevices) rights &= ~std::uint64_t{kControlDevice};
  return rights;
}

std::uint64_t rights_of(FileAccess access) {
  switch (access) {
    case FileAccess::kExecute:
      return kToExecute;
    case FileAccess::kRead:
      return kToRead;
    case FileAccess::kWrite:
      return kToWrite;
  }
  return 0;
}

Error nothing_there(const spec::Extra& extra, int reason) {
  const auto error = [&](const char* what, const char* remedy) {
    return Error(0, extra.landlock_origin, ": ", what)
        .hint(remedy, ", or set `level: prefer` to do without");
  };
  if (reason == EOPNOTSUPP)
    return error("Landlock is switched off in this kernel",
                 "add landlock to lsm= on the kernel's command line");
  if (reason == EPERM)
    return error("Landlock may not be used here",
                 "in a container, let its seccomp filter pass the calls landlock_*");
  return error("this kernel has no Landlock",
               "boot a kernel with CONFIG_SECURITY_LANDLOCK (5.13 or newer)");
}

Error lacks(const spec::Extra& extra, Abi needed, int abi) {
  const LandlockFeature& feature = kFeatures[needed - 1];
  return Error(0, extra.landlock_origin, ": ", feature.what, ": that needs Landlock ABI ",
               feature.abi, ", and this kernel's is ", abi)
      .hint("boot Linux ", feature.release, " or newer, or set `level: prefer` to do without");
}

// ABI 2 and 5 are not asked for: without the one a jail has less than `rw` says, and without the
// other what a device does for whoever may open it.
std::vector<Error> find_lacking(const spec::Extra& extra, const HostFacts& facts) {
  const spec::Landlock& asked = *extra.landlock;
  const int abi = facts.landlock_abi;
  if (abi < kFiles) return {nothing_there(extra, facts.landlock_error)};
  std::vector<Error> lacking;
  const auto need = [&](bool wanted, Abi needed) {
    if (wanted && abi < needed) lacking.push_back(lacks(extra, needed, abi));
  };
  need(!asked.paths.empty(), kTruncation);
  need(asked.connect_tcp || asked.bind_tcp, kTcp);
  need(!asked.scopes.empty(), kScoping);
  const bool own_filter = extra.seccomp == spec::SeccompProfile::kDefault ||
                          extra.seccomp == spec::SeccompProfile::kStrict;
  if ((asked.connect_tcp || asked.bind_tcp) && !own_filter)
    lacking.push_back(
        Error(
            0, extra.landlock_origin,
            ": with another filter than jaula's own MPTCP and TCP Fast Open get around the limits "
            "of TCP ports")
            .hint("set `seccomp` to default or strict, or `level: prefer` here"));
  return lacking;
}

void add_ports(const std::optional<std::vector<std::uint32_t>>& ports, TcpRight right,
               isolation::Landlock& rules) {
  if (!ports) return;
  rules.tcp |= right;
  for (const std::uint32_t port : *ports) rules.ports.push_back({.port = port, .rights = right});
}

}  // namespace

std::span<const LandlockFeature> landlock_features() { return kFeatures; }

LandlockPlan make_landlock_plan(const spec::Extra& extra, const HostFacts& facts) {
  const spec::Landlock& asked = *extra.landlock;
  const int abi = facts.landlock_abi;
  LandlockPlan plan{.rules = {}, .lacking = find_lacking(extra, facts)};
  isolation::Landlock& rules = plan.rules;
  if (!asked.paths.empty()) rules.files = file_rights(abi);
  if (rules.files != 0)
    for (const spec::LandlockPath& path : asked.paths)
      rules.paths.push_back({.path = path.path,
                             .rights = rights_of(path.access) & rules.files,
                             .origin = path.origin});
  if (abi >= kTcp) {
    add_ports(asked.connect_tcp, kConnectTcp, rules);
    add_ports(asked.bind_tcp, kBindTcp, rules);
  }
  if (abi >= kScoping)
    for (const LandlockScope scope : asked.scopes)
      rules.scopes |= scope == LandlockScope::kSignal ? kSignals : kAbstractUnixSockets;
  if (abi >= kAudit) rules.flags = kNoAuditOfSubdomains;
  return plan;
}

std::vector<std::string> describe_landlock(const spec::Landlock& asked,
                                           const isolation::Landlock& rules) {
  std::vector<std::string> lines;
  if (rules.files != 0)
    for (const spec::LandlockPath& path : asked.paths) {
      const char* word = path.access == FileAccess::kExecute ? "exec "
                         : path.access == FileAccess::kRead  ? "ro "
                                                             : "rw ";
      lines.push_back(word + escaped(path.path));
    }
  const auto add_ports = [&](const char* word, std::uint64_t right) {
    if ((rules.tcp & right) == 0) return;
    const bool none = std::none_of(rules.ports.begin(), rules.ports.end(),
                                   [&](const PortRule& rule) { return rule.rights == right; });
    if (none) lines.push_back(std::string(word) + " none");
    for (const PortRule& rule : rules.ports)
      if (rule.rights == right)
        lines.push_back(std::string(word) + ' ' + std::to_string(rule.port));
  };
  add_ports("connect_tcp", kConnectTcp);
  add_ports("bind_tcp", kBindTcp);
  if ((rules.scopes & kSignals) != 0) lines.emplace_back("scope signal");
  if ((rules.scopes & kAbstractUnixSockets) != 0) lines.emplace_back("scope abstract_unix_socket");
  return lines;
}

}  // namespace jaula::plan
