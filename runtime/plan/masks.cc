#include "runtime/plan/masks.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "runtime/base/mutant.h"
#include "runtime/plan/profile.h"

namespace jaula::plan {
namespace {

using isolation::MountOp;
using Origins = std::map<std::string, std::string>;

void unmask(const spec::Sourced<std::string>& path, spec::JailConfig& config,
            std::vector<Error>& problems) {
  if (path.value == "ALL") {
    config.masked_paths.clear();
    config.readonly_paths.clear();
    return;
  }
  const bool known = std::erase(config.masked_paths, path.value) != 0;
  if (std::erase(config.readonly_paths, path.value) == 0 && !known && !config.extra.privileged)
    problems.push_back(Error(0, path.origin.text(), ": ", path.value,
                             " is neither masked nor read-only by default")
                           .hint("`jaula plan` prints what is"));
}

void add(const std::vector<spec::Sourced<std::string>>& named, std::vector<std::string>& paths,
         Origins& origins) {
  for (const auto& path : named)
    if (origins.emplace(path.value, path.origin.text()).second &&
        std::find(paths.begin(), paths.end(), path.value) == paths.end())
      paths.push_back(path.value);
}

// Empty directories of sysfs, for other file systems: in a fresh one there is nothing to hide.
bool is_mount_point_of_sysfs(std::string_view path) {
  constexpr std::array<std::string_view, 5> kEmpty = {"/sys/fs/bpf", "/sys/fs/pstore",
                                                      "/sys/kernel/debug", "/sys/kernel/security",
                                                      "/sys/kernel/tracing"};
  return std::find(kEmpty.begin(), kEmpty.end(), path) != kEmpty.end();
}

// What the kernel has there differs from one to the next, and nobody can make it.
bool is_the_kernels(std::string_view path) {
  return is_at_or_below(path, "/proc") || is_at_or_below(path, "/sys");
}

MountOp operation(MountOp::Kind kind, const std::string& path, const Origins& origins) {
  MountOp op{.kind = kind, .target = path.substr(1)};
  const auto origin = origins.find(path);
  if (origin == origins.end()) return op;
  op.origin = origin->second;
  op.named = true;
  op.optional = is_the_kernels(path);
  return op;
}

}  // namespace

void lower_masks(const spec::ServiceSpec& service, spec::JailConfig& config,
                 std::vector<Error>& problems) {
  if (!mutant("masks"))
    config.masked_paths.assign(std::begin(kMaskedPaths), std::end(kMaskedPaths));
  if (!mutant("read-only paths"))
    config.readonly_paths.assign(std::begin(kReadOnlyPaths), std::end(kReadOnlyPaths));
  if (config.extra.privileged) {
    config.masked_paths.clear();
    config.readonly_paths.clear();
  }
  for (const auto& path : service.unmask) unmask(path, config, problems);
  add(service.mask, config.masked_paths, config.extra.mask_origins);
  add(service.readonly_paths, config.readonly_paths, config.extra.readonly_origins);
}

void add_masks(isolation::MountPlan& plan, const spec::JailConfig& config, bool fresh_sysfs) {
  for (const std::string& path : config.masked_paths)
    if (!fresh_sysfs || !is_mount_point_of_sysfs(path))
      plan.ops.push_back(operation(MountOp::Kind::kMask, path, config.extra.mask_origins));
  for (const std::string& path : config.readonly_paths) {
    MountOp op = operation(MountOp::Kind::kReadOnly, path, config.extra.readonly_origins);
    op.recursive = true;
    if (is_the_kernels(path))
      op.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    plan.ops.push_back(std::move(op));
  }
}

bool is_at_or_below(std::string_view path, std::string_view above) {
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

}  // namespace jaula::plan
