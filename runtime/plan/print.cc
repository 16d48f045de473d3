#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdio>

#include "runtime/base/text.h"
#include "runtime/plan/capabilities.h"
#include "runtime/plan/landlock.h"
#include "runtime/plan/launch_plan.h"
#include "runtime/plan/mounts.h"
#include "runtime/plan/seccomp.h"
#include "runtime/spec/units.h"

namespace jaula::plan {
namespace {

class Facts {
 public:
  template <class... Parts>
  void line(const Parts&... parts) {
    ((text_ += parts), ...);
    text_ += '\n';
  }
  std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

// Paths of the user's are shown as they were most likely written: below the working directory.
std::string shown(const std::string& path) {
  char here[PATH_MAX];
  if (::getcwd(here, sizeof here) == nullptr) return escaped(path);
  const std::string prefix = std::string(here) + "/";
  return escaped(prefix.size() > 1 && path.starts_with(prefix) ? "./" + path.substr(prefix.size())
                                                               : path);
}

std::string words(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& word : list) {
    const bool plain = !word.empty() && word.find_first_of(" \t\n'\"\\") == std::string::npos;
    text += plain ? " " + escaped(word) : " '" + escaped(word) + "'";
  }
  return text;
}

std::string attributes(std::uint64_t bits) {
  constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kNames = {
      {{MOUNT_ATTR_RDONLY, "ro"},
       {MOUNT_ATTR_NOSUID, "nosuid"},
       {MOUNT_ATTR_NODEV, "nodev"},
       {MOUNT_ATTR_NOEXEC, "noexec"}}};
  std::string text = (bits & MOUNT_ATTR_RDONLY) != 0 ? "" : " rw";
  for (const auto& [bit, name] : kNames)
    if ((bits & bit) != 0) text += std::string(" ") + name;
  return text;
}

std::string owner(const isolation::PlacedFile& file) {
  char text[64];
  std::snprintf(text, sizeof text, " uid=%u gid=%u mode=%04o", file.uid, file.gid, file.mode);
  return text;
}

std::string operation(const isolation::MountOp& op) {
  using Kind = isolation::MountOp::Kind;
  const std::string target = " /" + escaped(op.target);
  switch (op.kind) {
    case Kind::kDirectory: {
      char mode[24];
      std::snprintf(mode, sizeof mode, " mode=%04o", op.mode);
      return "directory" + target + mode;
    }
    case Kind::kFile:
      return "file" + target + " " + std::to_string(op.source.size()) + " bytes";
    case Kind::kPlace:
      // Not what is in it, nor how much.
      if (op.file.unswapped)
        return "file" + target + " in memory ro nosuid nodev noexec" + owner(op.file);
      return "file" + target + " " + std::to_string(op.file.content.size()) + " bytes";
    case Kind::kSymlink:
      return "link" + target + " -> " + escaped(op.source);
    case Kind::kMask:
      return "mask" + target;
    case Kind::kReadOnly:
      return "read-only" + target;
    case Kind::kBind:
      return "bind" + target + " from " + shown(op.source) + attributes(op.attributes) +
             (op.idmapped ? " idmapped" : "");
    case Kind::kFileSystem: {
      std::string text = op.source + target + attributes(op.attributes);
      for (const auto& [key, value] : op.options)
        text += " " + key + (value.empty() ? "" : "=" + escaped(value));
      if (op.copy_up) text += " with what the root has there";
      return text;
    }
  }
  return {};
}

void print_namespaces(const LaunchPlan& plan, const spec::JailConfig& config, Facts& facts) {
  constexpr std::array<std::pair<std::uint64_t, const char*>, 6> kNames = {
      {{CLONE_NEWUSER, " user"},
       {CLONE_NEWPID, " pid"},
       {CLONE_NEWNS, " mount"},
       {CLONE_NEWNET, " net"},
       {CLONE_NEWIPC, " ipc"},
       {CLONE_NEWUTS, " uts"}}};
  std::string text;
  for (const auto& [flag, name] : kNames)
    if ((plan.namespaces & flag) != 0) text += name;
  facts.line("namespaces", text, plan.cgroup_namespace ? " cgroup" : "",
             plan.time.own ? " time" : "");
  for (const spec::NamespaceConfig& entry : config.namespaces)
    if (entry.path) facts.line("join ", entry.type, " of ", escaped(*entry.path));
  for (const std::string_view clock : split(plan.time.offsets, '\n'))
    if (!clock.empty()) facts.line("clock ", std::string(clock));
  for (const auto& [name, map] :
       {std::pair{"uid map ", plan.ids.uid_map}, std::pair{"gid map ", plan.ids.gid_map}})
    for (const std::string_view entry : split(map, '\n'))
      if (!entry.empty()) facts.line(name, std::string(entry));
  if (!plan.hostname.host.empty()) facts.line("hostname ", plan.hostname.host);
  if (plan.loopback) facts.line("interface lo up");
}

void print_mounts(const LaunchPlan& plan, bool all, Facts& facts) {
  const isolation::RootPlan& root = plan.mounts.root;
  switch (root.kind) {
    case isolation::RootPlan::Kind::kTmpfs:
      facts.line("root tmpfs, with the machine's userland read-only");
      break;
    case isolation::RootPlan::Kind::kOverlay:
      facts.line("root overlay of ", shown(root.source), " below a tmpfs that is thrown away",
                 root.idmapped ? ", idmapped" : "");
      break;
    case isolation::RootPlan::Kind::kDirectory:
      facts.line("root ", shown(root.source), root.idmapped ? " idmapped" : "");
      break;
  }
  if (root.read_only) facts.line("root read-only");
  for (const isolation::MountOp& op : plan.mounts.ops)
    if (all || op.origin != kUserlandOrigin) facts.line("mount ", operation(op));
}

void print_limits(const LaunchPlan& plan, const spec::JailConfig& config, Facts& facts) {
  const spec::Resources& resources = config.resources;
  if (resources.memory) facts.line("limit memory.max ", std::to_string(resources.memory->value));
  if (resources.cpu_quota)
    facts.line("limit cpu.max ", std::to_string(resources.cpu_quota->value), " ",
               std::to_string(resources.cpu_period));
  if (resources.cpu_shares)
    facts.line("limit cpu.weight from shares ", std::to_string(resources.cpu_shares->value));
  if (resources.pids) facts.line("limit pids.max ", std::to_string(resources.pids->value));
  const auto value = [](std::uint64_t limit) {
    return limit == UINT64_MAX ? std::string("unlimited") : std::to_string(limit);
  };
  for (const spec::RlimitConfig& limit : config.process.rlimits)
    facts.line("limit ", limit.type, " ", value(limit.soft), " ", value(limit.hard));
  if (!plan.oom_score.value.empty()) facts.line("oom_score_adj ", plan.oom_score.value);
  for (const isolation::Sysctl& sysctl : plan.sysctls)
    facts.line("sysctl ", sysctl.path, " = ", escaped(sysctl.value));
}

void print_privilege(const LaunchPlan& plan, const spec::JailConfig& config, Facts& facts) {
  const isolation::Credentials& credentials = plan.credentials;
  std::string groups;
  for (const gid_t gid : credentials.groups) groups += " " + std::to_string(gid);
  facts.line("user ", std::to_string(credentials.uid), " group ", std::to_string(credentials.gid),
             " groups", groups);
  const auto names = [](std::uint64_t mask) {
    const std::string text = words(capability_names(mask));
    return text.empty() ? std::string(" none") : text;
  };
  facts.line("capabilities", names(credentials.permitted));
  if (credentials.ambient != 0) facts.line("ambient capabilities", names(credentials.ambient));
  facts.line("no_new_privs ", credentials.no_new_privs ? "on" : "off");
  facts.line(describe_seccomp(config, credentials.bounding, plan.landlock.tcp != 0));
  if (config.extra.privileged) facts.line("privileged");
  for (const isolation::LsmLabel& label : plan.labels)
    facts.line("label ", label.file, " = ", escaped(label.text));
  if (config.personality)
    facts.line("personality ",
               *config.personality == spec::Personality::kLinux32 ? "linux32" : "linux");
  if (config.extra.core_scheduling) facts.line("core scheduling of its own");
  if (!plan.device_program.empty())
    facts.line(
        "devices: the default ones", config.extra.devices.empty() ? "" : " and those of the spec",
        " alone, by a program of ", std::to_string(plan.device_program.size()), " instructions");
  if (config.extra.landlock)
    for (const std::string& rule : describe_landlock(*config.extra.landlock, plan.landlock))
      facts.line("landlock ", rule);
}

}  // namespace

std::string print(const LaunchPlan& plan, const spec::JailConfig& config, bool all) {
  Facts facts;
  facts.line("jail ", config.name);
  print_namespaces(plan, config, facts);
  print_mounts(plan, all, facts);
  print_limits(plan, config, facts);
  print_privilege(plan, config, facts);
  for (const std::string& variable : plan.payload.environment)
    facts.line("environment ", escaped(variable));
  facts.line("directory ", escaped(plan.payload.working_directory));
  facts.line(plan.place == isolation::InitPlace::kFirst ? "pid 1 " : "first process ",
             plan.init ? "a reaper, with the payload as its child" : "the payload");
  facts.line("terminal ", plan.terminal ? "a pty of the jail" : "none");
  facts.line("execute", words(plan.payload.arguments));
  facts.line("stop with ", spec::format_signal(config.extra.stop_signal), ", after ",
             spec::format_duration(config.extra.stop_grace_period), " kill");
  if (config.extra.time_limit)
    facts.line("time limit ", spec::format_duration(*config.extra.time_limit));
  return std::move(facts).take();
}

}  // namespace jaula::plan
