#include "runtime/plan/mounts.h"

#include <sys/mount.h>
#include <sys/statfs.h>

#include <algorithm>
#include <array>

#include "runtime/base/mutant.h"
#include "runtime/base/text.h"
#include "runtime/plan/etc_files.h"
#include "runtime/plan/granted_files.h"
#include "runtime/plan/masks.h"
#include "runtime/plan/mount_words.h"
#include "runtime/plan/nesting.h"

namespace jaula::plan {
namespace {

using isolation::MountOp;
using isolation::MountPlan;
using Kind = MountOp::Kind;

constexpr long kMqueueMagic = 0x19800202;  // ipc/mqueue.c; in no header
constexpr std::uint64_t kNoSuidDevExec = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

std::string relative(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path);
}

void add_directory(MountPlan& plan, std::string target, unsigned mode) {
  plan.ops.push_back({.kind = Kind::kDirectory, .target = std::move(target), .mode = mode});
}

void add_link(MountPlan& plan, std::string target, std::string text) {
  plan.ops.push_back(
      {.kind = Kind::kSymlink, .source = std::move(text), .target = std::move(target)});
}

MountOp file_system(std::string type, std::string target, std::uint64_t attributes) {
  return {.kind = Kind::kFileSystem,
          .source = std::move(type),
          .target = std::move(target),
          .attributes = attributes};
}

// What the machine has there, with all that is mounted below.
MountOp copy_of(std::string source, std::string target, std::uint64_t attributes) {
  return {.kind = Kind::kBind,
          .source = std::move(source),
          .target = std::move(target),
          .attributes = attributes,
          .recursive = true,
          .anchored = true};
}

// POSIX shared memory and message queues are files, and those of the IPC namespace.
void add_ipc(MountPlan& plan, const spec::JailConfig& config) {
  if (config.extra.ipc == spec::NamespaceMode::kNone) return;
  if (config.extra.ipc == spec::NamespaceMode::kHost) {
    plan.ops.push_back(copy_of("/dev/shm", "dev/shm", kNoSuidDevExec));
    struct statfs info;
    if (::statfs("/dev/mqueue", &info) == 0 && info.f_type == kMqueueMagic)
      plan.ops.push_back(copy_of("/dev/mqueue", "dev/mqueue", kNoSuidDevExec));
    return;
  }
  MountOp shm = file_system("tmpfs", "dev/shm", kNoSuidDevExec);
  shm.options = {{"mode", "1777"}};
  if (const auto size = config.extra.shm_size)
    shm.options.emplace_back("size", std::to_string(*size));
  plan.ops.push_back(std::move(shm));
  plan.ops.push_back(file_system("mqueue", "dev/mqueue", kNoSuidDevExec));
}

// A fresh /dev: device nodes cannot be made in a user namespace, so those of the machine are bound.
void add_dev(MountPlan& plan, const spec::JailConfig& config, const MountFacts& facts) {
  MountOp dev = file_system("tmpfs", "dev", MOUNT_ATTR_NOSUID);
  dev.options = {{"mode", "0755"}, {"size", "64k"}};
  plan.ops.push_back(std::move(dev));
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"})
    plan.ops.push_back({.kind = Kind::kBind,
                        .source = std::string("/dev/") + name,
                        .target = std::string("dev/") + name,
                        .source_is_file = true});
  constexpr std::array<std::array<const char*, 2>, 5> kLinks = {{{"dev/fd", "/proc/self/fd"},
                                                                 {"dev/stdin", "/proc/self/fd/0"},
                                                                 {"dev/stdout", "/proc/self/fd/1"},
                                                                 {"dev/stderr", "/proc/self/fd/2"},
                                                                 {"dev/ptmx", "pts/ptmx"}}};
  for (const auto& [target, text] : kLinks) add_link(plan, target, text);
  MountOp pts = file_system("devpts", "dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  pts.options = {{"ptmxmode", "0666"}, {"mode", "0620"}};
  if (facts.tty_group) pts.options.emplace_back("gid", "5");
  plan.ops.push_back(std::move(pts));
  add_ipc(plan, config);
}

bool has_fresh_sysfs(const MountFacts& facts) {
  return facts.own_network || facts.joined_network || !facts.user_namespace;
}

void add_kernel_file_systems(MountPlan& plan, const spec::JailConfig& config,
                             const MountFacts& facts) {
  // Root of the machine may write to it, where nothing stands between.
  const bool writable = config.extra.privileged && !facts.user_namespace;
  const std::uint64_t kernels = writable || mutant("read-only kernel files")
                                    ? kNoSuidDevExec
                                    : kNoSuidDevExec | MOUNT_ATTR_RDONLY;
  plan.ops.push_back(facts.host_processes ? copy_of("/proc", "proc", kNoSuidDevExec)
                                          : file_system("proc", "proc", kNoSuidDevExec));
  add_dev(plan, config, facts);
  if (has_fresh_sysfs(facts)) {
    plan.ops.push_back(file_system("sysfs", "sys", kernels));
  } else {
    // A sysfs shows the network namespace it belongs to; of the machine's there is no new one to
    // be had from inside a user namespace.
    plan.ops.push_back(copy_of("/sys", "sys", kNoSuidDevExec | MOUNT_ATTR_RDONLY));
  }
  const bool nesting = config.extra.nesting > 0;
  if (facts.cgroup)
    plan.ops.push_back(file_system("cgroup2", "sys/fs/cgroup", nesting ? kNoSuidDevExec : kernels));
  if (nesting) add_for_nesting(plan, kNoSuidDevExec);
  if (!facts.host_cgroups.empty())
    plan.ops.push_back(copy_of(facts.host_cgroups, "sys/fs/cgroup", kernels));
}

void add_file(MountPlan& plan, std::string target, std::string bytes) {
  plan.ops.push_back({.kind = Kind::kFile,
                      .source = std::move(bytes),
                      .target = std::move(target),
                      .optional = false,
                      .mode = 0644});
}

void add_userland(MountPlan& plan, const spec::JailConfig& config,
                  const std::vector<UserlandEntry>& userland, const MountFacts& facts) {
  constexpr std::array<std::pair<const char*, unsigned>, 14> kDirectories = {{{"etc", 0755},
                                                                              {"tmp", 01777},
                                                                              {"run", 0755},
                                                                              {"run/lock", 01777},
                                                                              {"var", 0755},
                                                                              {"var/cache", 0755},
                                                                              {"var/lib", 0755},
                                                                              {"var/log", 0755},
                                                                              {"var/tmp", 01777},
                                                                              {"home", 0755},
                                                                              {"root", 0700},
                                                                              {"srv", 0755},
                                                                              {"mnt", 0755},
                                                                              {"etc/ssl", 0755}}};
  for (const auto& [path, mode] : kDirectories) add_directory(plan, path, mode);
  add_link(plan, "var/run", "../run");
  add_link(plan, "var/lock", "../run/lock");
  for (const UserlandEntry& entry : userland) {
    std::string target = relative(entry.path);
    switch (entry.kind) {
      case UserlandEntry::Kind::kLink:
        add_link(plan, std::move(target), entry.text);
        break;
      case UserlandEntry::Kind::kCopy:
        add_file(plan, std::move(target), entry.text);
        break;
      case UserlandEntry::Kind::kTree:
        plan.ops.push_back({.kind = Kind::kBind,
                            .source = entry.path,
                            .target = std::move(target),
                            .attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV,
                            .recursive = !facts.idmapped,
                            .idmapped = facts.idmapped});
        break;
    }
  }
  for (EtcFile& file : make_etc_files(config, facts.own_network))
    add_file(plan, std::string("etc/") + file.name, std::move(file.content));
  for (MountOp& op : plan.ops) op.origin = kUserlandOrigin;
}

// They are made in a root that is thrown away, and mounted in one that lasts: what is the user's
// stays as it is.
void place_etc_files(MountPlan& plan, const spec::JailConfig& config, const MountFacts& facts) {
  for (EtcFile& file : make_etc_files(config, facts.own_network)) {
    if (config.extra.ephemeral) {
      add_file(plan, std::string("etc/") + file.name, std::move(file.content));
      plan.ops.back().optional = file.origin.empty();
      plan.ops.back().origin = std::move(file.origin);
      continue;
    }
    plan.ops.push_back({.kind = Kind::kPlace,
                        .target = std::string("etc/") + file.name,
                        .file = {.name = file.name,
                                 .content = std::move(file.content),
                                 .read_only = config.root_readonly},
                        .origin = std::move(file.origin)});
  }
}

std::uint64_t attributes_of(const std::vector<std::string>& options) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> kWords = {
      {{"ro", MOUNT_ATTR_RDONLY},
       {"nosuid", MOUNT_ATTR_NOSUID},
       {"nodev", MOUNT_ATTR_NODEV},
       {"noexec", MOUNT_ATTR_NOEXEC}}};
  std::uint64_t attributes = 0;
  for (const std::string& option : options)
    for (const auto& [word, bit] : kWords)
      if (option == word) attributes |= bit;
  return attributes;
}

void add_mount(MountPlan& plan, const spec::MountConfig& mount, const MountFacts& facts) {
  MountOp op{.kind = Kind::kFileSystem,
             .source = mount.type,
             .target = relative(mount.destination),
             .attributes = attributes_of(mount.options),
             .origin = mount.origin};
  if (mount.type == "bind") {
    op.kind = Kind::kBind;
    op.source = mount.source;
    op.recursive = !has_option(mount, "bind");
    op.source_is_file = is_file(mount.source);
    op.idmapped = facts.idmapped;
  } else {
    op.copy_up = has_option(mount, "tmpcopyup");
    for (const std::string& option : mount.options)
      if (const std::size_t equals = option.find('='); equals != std::string::npos)
        op.options.emplace_back(option.substr(0, equals), option.substr(equals + 1));
  }
  plan.ops.push_back(std::move(op));
}

}  // namespace

MountPlan make_mount_plan(const spec::JailConfig& config,
                          const std::vector<UserlandEntry>& userland, const MountFacts& facts) {
  MountPlan plan;
  plan.ops.reserve(64);  // about what a jail of the default profile takes
  plan.root.origin = config.extra.root_origin;
  plan.root.read_only = config.root_readonly;
  plan.root.overlay_userxattr = facts.user_namespace;
  if (config.extra.root_kind == spec::RootKind::kHost) {
    plan.root.kind = isolation::RootPlan::Kind::kTmpfs;
    add_userland(plan, config, userland, facts);
  } else {
    plan.root.kind = config.extra.ephemeral ? isolation::RootPlan::Kind::kOverlay
                                            : isolation::RootPlan::Kind::kDirectory;
    plan.root.source = config.root_path;
    plan.root.idmapped = facts.idmapped;
    place_etc_files(plan, config, facts);
  }
  add_kernel_file_systems(plan, config, facts);
  for (const spec::MountConfig& mount : config.mounts) add_mount(plan, mount, facts);
  plan.ops.insert(plan.ops.end(), facts.devices.begin(), facts.devices.end());
  place_files(plan, config);
  const bool fresh_sysfs =
      has_fresh_sysfs(facts) &&
      std::none_of(config.mounts.begin(), config.mounts.end(), [](const spec::MountConfig& mount) {
        return is_at_or_below(mount.destination, "/sys");
      });
  add_masks(plan, config, fresh_sysfs);
  // What the machine lends of /etc stays as it is for the life of the jail.
  if (config.extra.root_kind == spec::RootKind::kHost)
    plan.ops.push_back({.kind = Kind::kReadOnly,
                        .target = "etc",
                        .attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID,
                        .origin = std::string(kUserlandOrigin)});
  return plan;
}

std::vector<isolation::TreeSource> sources_made_outside(const MountPlan& plan) {
  std::vector<isolation::TreeSource> sources;
  if (plan.root.idmapped)
    sources.push_back({.path = plan.root.source.c_str(),
                       .origin = plan.root.origin.c_str(),
                       .recursive = false,
                       .attributes = MOUNT_ATTR_NODEV});
  for (const MountOp& op : plan.ops)
    if (op.idmapped)
      sources.push_back({.path = op.source.c_str(),
                         .origin = op.origin.c_str(),
                         .recursive = op.recursive,
                         .attributes = op.attributes});
  return sources;
}

}  // namespace jaula::plan
