#include "runtime/plan/id_maps.h"

#include <linux/capability.h>

#include <algorithm>

#include "runtime/plan/subordinate_ids.h"

namespace jaula::plan {
namespace {

using Mode = spec::UserNamespace::Mode;

constexpr std::uint32_t kTtyGroup = 5;  // on Debian, Fedora and what devpts is mounted with

// In front of an error: the line of the spec, where it is known.
std::string at(const std::string& origin) { return origin.empty() ? origin : origin + ": "; }

std::string lines(const std::vector<spec::IdMapping>& mappings) {
  std::string text;
  for (const spec::IdMapping& mapping : mappings)
    text += map_line(mapping.container_id, mapping.host_id, mapping.size);
  return text;
}

IdPlan single_id(const spec::JailConfig& config, const HostFacts& facts) {
  IdPlan plan;
  const spec::User& user = config.process.user;
  plan.maps.uid_map = map_line(user.uid, facts.euid, 1);
  plan.maps.gid_map = map_line(user.gid, facts.egid, 1);
  plan.maps.deny_setgroups = true;
  plan.root_uid = user.uid;
  plan.root_gid = plan.first_gid = plan.last_gid = user.gid;
  plan.has_tty_group = false;
  plan.degraded =
      "one id alone is mapped: the payload cannot change users or groups, and keeps those that "
      "this "
      "user is in";
  return plan;
}

Result<IdPlan> rootless(const spec::JailConfig& config, const HostFacts& facts) {
  const bool keep = config.extra.userns == Mode::kKeepId;
  const std::uint32_t inside_uid = keep ? facts.euid : 0;
  const std::uint32_t inside_gid = keep ? facts.egid : 0;
  const std::vector<SubordinateRange> uids = usable_ranges(facts.subuid, facts.euid);
  const std::vector<SubordinateRange> gids = usable_ranges(facts.subgid, facts.egid);
  const bool ranges = !uids.empty() && !gids.empty() && facts.id_map_helpers;
  if (!ranges && keep && config.process.user.uid != facts.euid)
    return Error(0, at(config.extra.userns_origin),
                 "`userns_mode: keep-id` needs a range in /etc/subuid and /etc/subgid to map more "
                 "than this user")
        .hint("set `user: \"", facts.euid, ":", facts.egid, "\"`, or leave `userns_mode` out");
  if (!ranges) {
    IdPlan plan = single_id(config, facts);
    plan.degraded +=
        facts.id_map_helpers
            ? " (this user has no range of ids in /etc/subuid and /etc/subgid)"
            : " (newuidmap and newgidmap are not there, package uidmap, or cannot gain "
              "privilege here)";
    return plan;
  }
  IdPlan plan;
  plan.maps.uid_map = map_around(inside_uid, facts.euid, uids);
  plan.maps.gid_map = map_around(inside_gid, facts.egid, gids);
  plan.maps.use_helpers = true;
  // From group 0 on there is no gap, but in front of an id that is kept far above.
  const std::uint64_t groups = count_ids(gids);
  const std::uint64_t last = inside_gid <= groups ? groups : groups - 1;
  plan.last_gid = static_cast<std::uint32_t>(std::min<std::uint64_t>(last, kJailIds - 1));
  plan.has_tty_group = plan.last_gid >= kTtyGroup;
  const std::uint64_t fewer = std::min(count_ids(uids), groups) + 1;
  if (fewer < kJailIds)
    plan.degraded = "of the " + std::to_string(kJailIds) + " ids of a jail this user has " +
                    std::to_string(fewer) +
                    ": others cannot be a user or group in it, nor own a file (/etc/subuid, "
                    "/etc/subgid)";
  return plan;
}

bool is_mapped(const std::vector<spec::IdMapping>& mappings, std::uint32_t id) {
  return std::any_of(mappings.begin(), mappings.end(), [id](const spec::IdMapping& mapping) {
    return id >= mapping.container_id && id - mapping.container_id < mapping.size;
  });
}

bool is_own_alone(const std::vector<spec::IdMapping>& mappings, std::uint32_t own) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host_id == own;
}

Result<IdPlan> explicit_map(const spec::JailConfig& config, const HostFacts& facts) {
  const spec::User& user = config.process.user;
  if (!is_mapped(config.uid_mappings, user.uid) || !is_mapped(config.gid_mappings, user.gid))
    return Error(0, at(config.extra.userns_origin), "`userns_mode` maps no user ", user.uid,
                 " or no group ", user.gid, ", and the payload runs as these")
        .hint("map them, or set `user` to ids that are mapped");
  // The kernel lets a user map his own id, to any, without help.
  const bool own_group = is_own_alone(config.gid_mappings, facts.egid);
  const bool own = own_group && is_own_alone(config.uid_mappings, facts.euid);
  if (!facts.privileged() && !own && !facts.id_map_helpers)
    return Error(0, at(config.extra.userns_origin),
                 "a map of a user's goes through newuidmap and newgidmap, which are not there or "
                 "cannot gain privilege here")
        .hint("install them (package uidmap or shadow-utils), or leave `userns_mode` out");
  IdPlan plan;
  plan.maps.uid_map = lines(config.uid_mappings);
  plan.maps.gid_map = lines(config.gid_mappings);
  plan.maps.use_helpers = !facts.privileged() && !own;
  plan.maps.deny_setgroups = !facts.privileged() && own_group;  // newgidmap does so by itself
  plan.maps.origin = config.extra.userns_origin;
  // The jail is set up as root where there is one, else as the payload's user.
  if (!is_mapped(config.uid_mappings, 0)) plan.root_uid = user.uid;
  if (!is_mapped(config.gid_mappings, 0)) plan.root_gid = user.gid;
  plan.first_gid = config.gid_mappings[0].container_id;
  plan.last_gid = plan.first_gid + config.gid_mappings[0].size - 1;
  plan.has_tty_group = is_mapped(config.gid_mappings, kTtyGroup);
  return plan;
}

}  // namespace

Result<IdPlan> make_id_plan(const spec::JailConfig& config, const HostFacts& facts,
                            std::uint32_t id_base) {
  switch (config.extra.userns) {
    case Mode::kHost:
      return IdPlan{};
    case Mode::kMap:
      return explicit_map(config, facts);
    case Mode::kKeepId:
      if (facts.euid == 0)
        return Error(0, at(config.extra.userns_origin),
                     "`userns_mode: keep-id` as root would make the jail's user root outside")
            .hint("start it as the user whose id is to be kept, or use `auto`");
      return rootless(config, facts);
    case Mode::kAuto:
      break;
  }
  if (!facts.privileged()) return rootless(config, facts);
  const spec::User& user = config.process.user;
  if (user.uid >= kJailIds || user.gid >= kJailIds)
    return Error(0, at(config.extra.user_origin), "user ", user.uid, ":", user.gid,
                 " is none of the ", kJailIds, " ids that the jail has")
        .hint("choose another `user`, map more ids with `userns_mode`, or set it to `host`");
  IdPlan plan;
  if (id_base != 0) plan.maps.uid_map = plan.maps.gid_map = map_line(0, id_base, kJailIds);
  return plan;
}

}  // namespace jaula::plan
