// Which ids a jail gets, for every mode and every kind of user. Pure.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/plan/id_maps.h"
#include "tests/unit/hosts.h"
#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

using plan::HostFacts;
using plan::IdPlan;
using plan::make_id_plan;
using spec::JailConfig;
using Mode = spec::UserNamespace::Mode;

JailConfig config_of(Mode mode, std::uint32_t uid = 0, std::uint32_t gid = 0) {
  JailConfig config;
  config.extra.userns = mode;
  config.extra.userns_origin = "web.yaml:7:5: services.web.userns_mode";
  config.extra.user_origin = "web.yaml:6:5: services.web.user";
  config.process.user.uid = uid;
  config.process.user.gid = gid;
  return config;
}

// The map of uids, then that of gids, on one line: "0 1000 1, 1 100000 65536 | …".
std::string maps(const Result<IdPlan>& plan) {
  if (!plan) return said(plan);
  std::string text = plan->maps.uid_map + "|" + plan->maps.gid_map;
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n'))
    text.replace(at, 1, text[at + 1] == '|' || at + 1 == text.size() ? "" : ", ");
  return text;
}

}  // namespace

TEST_CASE("ids: as root a jail gets the range that was claimed for it, and no maps before") {
  Result<IdPlan> ids = make_id_plan(config_of(Mode::kAuto, 33, 34), root_host(), 655360);
  CHECK_EQ(maps(ids), "0 655360 65536|0 655360 65536");
  CHECK_EQ(ids->root_uid, 0);
  CHECK_EQ(ids->last_gid, 65535);
  CHECK(ids->has_tty_group);
  CHECK_FALSE(ids->maps.use_helpers);
  CHECK_FALSE(ids->maps.deny_setgroups);
  CHECK_EQ(ids->degraded, "");
  CHECK_EQ(maps(make_id_plan(config_of(Mode::kAuto), root_host(), 0)), "|");
}

TEST_CASE("ids: a user beyond the range that a jail has is a problem with his line") {
  CHECK_EQ(maps(make_id_plan(config_of(Mode::kAuto, 65535, 65535), root_host(), 655360)),
           "0 655360 65536|0 655360 65536");
  for (const auto& [uid, gid] : {std::pair(65536U, 0U), std::pair(0U, 65536U)}) {
    const Result<IdPlan> ids = make_id_plan(config_of(Mode::kAuto, uid, gid), root_host(), 655360);
    CHECK_EQ(said(ids), "web.yaml:6:5: services.web.user: user " + std::to_string(uid) + ":" +
                            std::to_string(gid) + " is none of the 65536 ids that the jail has");
  }
}

TEST_CASE("ids: without a user namespace nothing is mapped") {
  for (const HostFacts& host : {root_host(), user_with_ranges(), user_with_one_id()})
    CHECK_EQ(maps(make_id_plan(config_of(Mode::kHost, 70000, 70000), host, 655360)), "|");
}

TEST_CASE("ids: a user with ranges is root inside, and his ranges are the ids after it") {
  const Result<IdPlan> ids = make_id_plan(config_of(Mode::kAuto), user_with_ranges(), 0);
  CHECK_EQ(maps(ids), "0 1000 1, 1 100000 65536|0 1001 1, 1 200000 70000");
  CHECK(ids->maps.use_helpers);
  CHECK_FALSE(ids->maps.deny_setgroups);
  CHECK(ids->has_tty_group);
  CHECK_EQ(ids->degraded, "");
}

TEST_CASE("ids: to keep an id is to have it inside, and the range around it") {
  struct Row {
    uid_t euid;
    std::string map;
  };
  const Row rows[] = {
      {1, "0 100000 1, 1 1 1, 2 100001 65535"},
      {1000, "0 100000 1000, 1000 1000 1, 1001 101000 64536"},
      {65535, "0 100000 65535, 65535 65535 1, 65536 165535 1"},
      {65536, "0 100000 65536, 65536 65536 1"},
      {4000000000, "0 100000 65536, 4000000000 4000000000 1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.euid);
    HostFacts host = user_with_ranges();
    host.euid = host.egid = row.euid;
    host.subgid = host.subuid;
    CHECK_EQ(maps(make_id_plan(config_of(Mode::kKeepId, row.euid), host, 0)),
             row.map + "|" + row.map);
  }
}

TEST_CASE("ids: root cannot keep his id, for the jail's user would be root outside") {
  const Result<IdPlan> ids = make_id_plan(config_of(Mode::kKeepId), root_host(), 655360);
  CHECK_EQ(said(ids),
           "web.yaml:7:5: services.web.userns_mode: `userns_mode: keep-id` as root would make the "
           "jail's user root outside");
}

TEST_CASE(
    "ids: a user without ranges has one id, that of the payload, and is told what that loses") {
  const Result<IdPlan> ids = make_id_plan(config_of(Mode::kAuto, 33, 34), user_with_one_id(), 0);
  CHECK_EQ(maps(ids), "33 1000 1|34 1001 1");
  CHECK(ids->maps.deny_setgroups);
  CHECK_FALSE(ids->maps.use_helpers);
  CHECK_EQ(ids->root_uid, 33);
  CHECK_EQ(ids->root_gid, 34);
  CHECK_EQ(ids->first_gid, 34);
  CHECK_EQ(ids->last_gid, 34);
  CHECK_FALSE(ids->has_tty_group);
  CHECK_EQ(ids->degraded,
           "one id alone is mapped: the payload cannot change users or groups, and keeps those "
           "that this user is in (newuidmap and newgidmap are not there, package uidmap, or "
           "cannot gain privilege here)");
}

TEST_CASE("ids: ranges are joined, each id once and the user's own where he is") {
  struct Row {
    std::vector<plan::SubordinateRange> subuid, subgid;
    bool helpers;
    std::string uid_map;
    std::string degraded;  // how it ends
  };
  const plan::SubordinateRange small{300000, 100}, whole{100000, 65536}, large{500000, 200000};
  const std::string fewer =
      ": others cannot be a user or group in it, nor own a file (/etc/subuid, /etc/subgid)";
  const std::string none = "(this user has no range of ids in /etc/subuid and /etc/subgid)";
  const std::string one = "0 1000 1\n";
  const Row rows[] = {
      {{whole}, {whole}, true, one + "1 100000 65536\n", ""},
      {{{100000, 65535}}, {whole}, true, one + "1 100000 65535\n", ""},
      {{small, large}, {whole}, true, one + "1 300000 100\n101 500000 200000\n", ""},
      {{small}, {whole}, true, one + "1 300000 100\n", "this user has 101" + fewer},
      {{whole}, {small}, true, one + "1 100000 65536\n", "this user has 101" + fewer},
      // Twice, overlapping at both ends, one in another.
      {{small, small}, {whole}, true, one + "1 300000 100\n", "this user has 101" + fewer},
      {{small, {299990, 20}, {300090, 20}, {300010, 10}},
       {whole},
       true,
       one + "1 300000 100\n101 299990 10\n111 300100 10\n",
       "this user has 121" + fewer},
      // With the user's own id.
      {{{990, 20}}, {whole}, true, one + "1 990 10\n11 1001 9\n", "this user has 20" + fewer},
      {{{1000, 1}}, {whole}, true, one, none},
      {{whole}, {}, true, one, none},
      {{whole}, {whole}, false, one, "or cannot gain privilege here)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.uid_map);
    HostFacts host = user_with_ranges();
    host.subuid = row.subuid;
    host.subgid = row.subgid;
    host.id_map_helpers = row.helpers;
    const IdPlan ids = make_id_plan(config_of(Mode::kAuto), host, 0).value();
    CHECK_EQ(ids.maps.uid_map, row.uid_map);
    CHECK_EQ(ids.degraded.empty(), row.degraded.empty());
    CHECK_MESSAGE(ids.degraded.ends_with(row.degraded), ids.degraded);
  }
}

TEST_CASE("ids: a map has no more lines than the kernel takes") {
  HostFacts host = user_with_ranges();
  host.subuid.clear();
  for (std::uint32_t i = 0; i < 1000; ++i) host.subuid.push_back({100000 + 10 * i, 5});
  const IdPlan ids = make_id_plan(config_of(Mode::kKeepId, 1000), host, 0).value();
  CHECK_LE(std::count(ids.maps.uid_map.begin(), ids.maps.uid_map.end(), '\n'), 340);
}

TEST_CASE("ids: group 5 and the groups that may ping are those that few ids leave") {
  HostFacts host = user_with_ranges();
  host.subgid = {{200000, 4}};
  IdPlan ids = make_id_plan(config_of(Mode::kAuto), host, 0).value();
  CHECK_EQ(ids.last_gid, 4);
  CHECK_FALSE(ids.has_tty_group);
  host.subgid = {{200000, 5}};
  CHECK(make_id_plan(config_of(Mode::kAuto), host, 0)->has_tty_group);
  // The id that is kept is 1001: the groups end before it.
  ids = make_id_plan(config_of(Mode::kKeepId, 1000), host, 0).value();
  CHECK_EQ(ids.maps.gid_map, "0 200000 5\n1001 1001 1\n");
  CHECK_EQ(ids.last_gid, 4);
}

TEST_CASE("ids: a map of a user's own id alone needs no helper, and denies setgroups") {
  JailConfig config = config_of(Mode::kMap);
  config.uid_mappings = {{0, 1000, 1}};
  config.gid_mappings = {{0, 1001, 1}};
  const IdPlan ids = make_id_plan(config, user_with_one_id(), 0).value();
  CHECK_FALSE(ids.maps.use_helpers);
  CHECK(ids.maps.deny_setgroups);
  // newgidmap denies it by itself.
  config.uid_mappings = {{0, 1000, 1}, {1, 100000, 10}};
  const IdPlan more = make_id_plan(config, user_with_ranges(), 0).value();
  CHECK(more.maps.use_helpers);
  CHECK(more.maps.deny_setgroups);
}

TEST_CASE("ids: to keep an id without ranges, the payload must be that user") {
  CHECK_EQ(maps(make_id_plan(config_of(Mode::kKeepId, 1000, 1001), user_with_one_id(), 0)),
           "1000 1000 1|1001 1001 1");
  const Result<IdPlan> other = make_id_plan(config_of(Mode::kKeepId), user_with_one_id(), 0);
  CHECK_EQ(said(other),
           "web.yaml:7:5: services.web.userns_mode: `userns_mode: keep-id` needs a range in "
           "/etc/subuid and /etc/subgid to map more than this user");
  CHECK_EQ(other.error().hint_text(), "set `user: \"1000:1001\"`, or leave `userns_mode` out");
}

TEST_CASE(
    "ids: a map of the spec's is taken as it is, and must hold the payload's user and group") {
  JailConfig config = config_of(Mode::kMap, 33, 34);
  config.uid_mappings = {{0, 500000, 1}, {10, 600000, 50}};
  config.gid_mappings = {{30, 700000, 10}};
  const Result<IdPlan> ids = make_id_plan(config, root_host(), 655360);
  CHECK_EQ(maps(ids), "0 500000 1, 10 600000 50|30 700000 10");
  CHECK_FALSE(ids->maps.use_helpers);
  HostFacts user = user_with_ranges();
  CHECK(make_id_plan(config, user, 0)->maps.use_helpers);
  user.id_map_helpers = false;
  CHECK(said(make_id_plan(config, user, 0))
            .starts_with("web.yaml:7:5: services.web.userns_mode: a map of a user's "));
  // There is a root among the users, and none among the groups.
  CHECK_EQ(ids->root_uid, 0);
  CHECK_EQ(ids->root_gid, 34);
  CHECK_EQ(ids->first_gid, 30);
  CHECK_EQ(ids->last_gid, 39);
  CHECK_FALSE(ids->has_tty_group);

  for (const auto& [uid, gid] : {std::pair(9U, 34U), std::pair(60U, 34U), std::pair(33U, 40U)}) {
    config.process.user.uid = uid;
    config.process.user.gid = gid;
    CHECK_EQ(said(make_id_plan(config, root_host(), 0)),
             "web.yaml:7:5: services.web.userns_mode: `userns_mode` maps no user " +
                 std::to_string(uid) + " or no group " + std::to_string(gid) +
                 ", and the payload runs as these");
  }
}

TEST_CASE("ids: group 5, of terminals, is there when the map has it") {
  JailConfig config = config_of(Mode::kMap);
  config.uid_mappings = {{0, 500000, 1}};
  for (const auto& [count, has] : {std::pair(5U, false), std::pair(6U, true)}) {
    config.gid_mappings = {{0, 700000, count}};
    CHECK_EQ(make_id_plan(config, root_host(), 0)->has_tty_group, has);
  }
}

}  // namespace jaula::test
