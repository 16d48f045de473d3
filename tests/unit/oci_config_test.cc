// The config of a jail as OCI's config.json: places, completeness, strictness.
#include "runtime/spec/oci_config.h"

#include <doctest/doctest.h>
#include <errno.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

using namespace spec;
using nlohmann::json;
using namespace nlohmann::literals;

JailConfig full_config() {
  const std::vector<std::string> caps = {"CAP_CHOWN", "CAP_KILL"};
  JailConfig config;
  config.name = "web";
  config.root_path = "/srv/rootfs";
  config.root_readonly = true;
  config.hostname = "web.local";
  config.process = {
      .terminal = true,
      .user = {.uid = 1000, .gid = 100, .additional_gids = {100, 7}, .umask = 0027},
      .args = {"nginx", "-g", "daemon off;"},
      .env = {"PATH=/bin", "EMPTY="},
      .cwd = "/srv",
      .capabilities = {caps, {"CAP_CHOWN"}, {}, caps, {"CAP_KILL"}},
      .rlimits = {{"RLIMIT_NOFILE", 1024, UINT64_MAX, "web.yaml:3:5"}, {"RLIMIT_CORE", 0, 0, ""}},
      .no_new_privileges = false,
      .oom_score_adj = -500,
      .apparmor_profile = "web"};
  config.personality = Personality::kLinux32;
  config.mounts = {{"/data", "bind", "/srv/data", {"rbind", "ro"}, "web.yaml:14:9"},
                   {"/tmp", "tmpfs", "tmpfs", {}, ""}};
  config.namespaces = {
      {"user"}, {"pid", "/proc/7/ns/pid", "web.yaml:7:7"}, {"mount"}, {"network", "jail:db", ""}};
  config.monotonic_offset = {.secs = -2, .nanosecs = 5};
  config.uid_mappings = {{0, 524288, 65536}};
  config.gid_mappings = {{0, 100000, 1}, {1, 589824, 65535}};
  config.sysctl = {{"net.b", "1"}, {"net.a", "0 9"}};
  config.resources = {.memory = Limit{64 << 20, "--memory"},
                      .cpu_quota = Limit{50000, ""},
                      .cpu_period = 25000,
                      .cpu_shares = Limit{512, "web.yaml:9:1"},
                      .pids = Limit{32, ""}};
  config.masked_paths = {"/proc/kcore"};
  config.readonly_paths = {"/proc/sys"};
  config.seccomp =
      SeccompConfig{.default_action = SeccompAction::kErrno,
                    .default_errno_ret = 38,
                    .flags = std::vector<SeccompFlag>{SeccompFlag::kLog},
                    .syscalls = {{.names = {"read", "write"}, .action = SeccompAction::kAllow},
                                 {.names = {"socket"},
                                  .action = SeccompAction::kErrno,
                                  .errno_ret = 97,
                                  .args = {{2, UINT64_MAX, 9, SeccompOperator::kMaskedEqual}}}}};
  config.labels = {{"a.b", "c"}, {"empty", ""}};
  config.extra = {.root_kind = RootKind::kHost,
                  .ephemeral = true,
                  .init = false,
                  .shm_size = 1 << 20,
                  .group_add = {50, 7},
                  .seccomp = SeccompProfile::kFile,
                  .seccomp_file = "/etc/p.json",
                  .userns = UserNamespace::Mode::kKeepId,
                  .network = NamespaceMode::kNone,
                  .ipc = NamespaceMode::kHost,
                  .nesting = 3,
                  .stop_signal = 3,
                  .stop_grace_period = std::chrono::milliseconds{1500},
                  .time_limit = std::chrono::milliseconds{60000},
                  .require = {Layer::kSeccomp, Layer::kLandlock},
                  .landlock = Landlock{.paths = {{FileAccess::kWrite, "/tmp", ""}},
                                       .connect_tcp = std::vector<std::uint32_t>{443},
                                       .bind_tcp = std::vector<std::uint32_t>{},
                                       .scopes = {LandlockScope::kSignal}},
                  .devices = {{.source = "/dev/a", .destination = "/dev/b", .write = false}},
                  .selinux = SelinuxLabel{.type = "t", .level = "s0:c1"},
                  .privileged = true,
                  .core_scheduling = true,
                  .files = {{.destination = "/run/secrets/token",
                             .secret = true,
                             .from = FileFrom::kContent,
                             .source = "",
                             .uid = 33,
                             .gid = 34,
                             .mode = 0400,
                             .content = "hunter2",
                             .origin = ""}},
                  .resolver = {{"10.0.0.1"}, {"example.org"}, {"ndots:2"}, ""},
                  .hosts = {{{"db", "10.0.0.2"}}, ""},
                  .root_origin = "web.yaml:4:5",
                  .command_origin = "web.yaml:5:5",
                  .user_origin = "web.yaml:6:5",
                  .directory_origin = "web.yaml:8:5",
                  .userns_origin = {},
                  .sysctl_origins = {}};
  return config;
}

std::string said_of(const json& changed) { return said(config_from_json(changed.dump())); }

TEST_CASE("oci config: everything comes back as it was") {
  for (const JailConfig& config : {full_config(), JailConfig{}}) {
    const std::string text = to_json(config);
    const Result<JailConfig> back = config_from_json(text);
    CHECK_EQ(said(back), "");
    CHECK_EQ(to_json(*back), text);
  }
  const JailConfig back = *config_from_json(to_json(full_config()));
  CHECK_EQ(back.process.args[2], "daemon off;");
  CHECK_EQ(back.process.rlimits[0].hard, UINT64_MAX);
  CHECK_EQ(back.process.rlimits[0].origin, "web.yaml:3:5");
  CHECK_EQ(back.mounts[0].origin, "web.yaml:14:9");
  CHECK_EQ(back.sysctl[0].first, "net.b");
  CHECK_EQ(*back.process.oom_score_adj, -500);
  CHECK_EQ(*back.extra.shm_size, 1 << 20);
  CHECK_EQ(back.extra.group_add, std::vector<std::uint32_t>{50, 7});
  CHECK_EQ(*back.process.apparmor_profile, "web");
  CHECK(*back.personality == Personality::kLinux32);
  CHECK_EQ(back.extra.selinux->level, "s0:c1");
  CHECK_EQ(back.extra.devices[0].destination, "/dev/b");
  CHECK_FALSE(back.extra.devices[0].write);
  CHECK(back.extra.privileged);
  CHECK(back.extra.core_scheduling);
  CHECK_EQ(back.resources.memory->origin, "--memory");
  CHECK_EQ(back.extra.time_limit->count(), 60000);
  CHECK_EQ(back.extra.landlock->paths[0].path, "/tmp");
  CHECK(back.extra.landlock->paths[0].access == FileAccess::kWrite);
  CHECK_EQ(back.extra.landlock->connect_tcp->at(0), 443);
  CHECK(back.extra.landlock->bind_tcp->empty());
  CHECK_EQ(back.extra.resolver.options, std::vector<std::string>{"ndots:2"});
  CHECK_EQ(back.extra.hosts.names.at(0).address, "10.0.0.2");
}

TEST_CASE("oci config: the content of a secret or a config is in no record") {
  const std::string text = to_json(full_config());
  CHECK_EQ(text.find("hunter2"), std::string::npos);
  const JailConfig back = *config_from_json(text);
  CHECK_EQ(back.extra.files.at(0).destination, "/run/secrets/token");
  CHECK_EQ(back.extra.files.at(0).mode, 0400);
  CHECK_FALSE(back.extra.files.at(0).content);
}

TEST_CASE("oci config: OCI's members stand where the runtime specification has them") {
  const json oci = json::parse(to_json(full_config()));
  CHECK_EQ(oci["ociVersion"], "1.0.2");
  CHECK_EQ(oci["process"]["user"],
           json({{"uid", 1000}, {"gid", 100}, {"umask", 027}, {"additionalGids", {100, 7}}}));
  CHECK_EQ(oci["process"]["capabilities"]["ambient"], json({"CAP_KILL"}));
  CHECK_EQ(oci["process"]["rlimits"][1], json({{"type", "RLIMIT_CORE"}, {"soft", 0}, {"hard", 0}}));
  CHECK_EQ(oci["process"]["oomScoreAdj"], -500);
  CHECK_EQ(oci["process"]["apparmorProfile"], "web");
  CHECK_EQ(oci["linux"]["personality"], json({{"domain", "LINUX32"}}));
  CHECK_EQ(oci["jaula"]["shmSize"], 1 << 20);
  CHECK_EQ(oci["root"], json({{"path", "/srv/rootfs"}, {"readonly", true}}));
  CHECK_EQ(oci["mounts"][0], json({{"destination", "/data"},
                                   {"type", "bind"},
                                   {"source", "/srv/data"},
                                   {"options", {"rbind", "ro"}}}));
  CHECK_EQ(oci["annotations"]["a.b"], "c");
  CHECK_EQ(oci["linux"]["namespaces"][1], json({{"type", "pid"}, {"path", "/proc/7/ns/pid"}}));
  CHECK_EQ(oci["linux"]["timeOffsets"], json({{"monotonic", {{"secs", -2}, {"nanosecs", 5}}}}));
  CHECK_EQ(oci["linux"]["gidMappings"][1],
           json({{"containerID", 1}, {"hostID", 589824}, {"size", 65535}}));
  CHECK_EQ(oci["linux"]["sysctl"]["net.a"], "0 9");
  CHECK_EQ(oci["linux"]["resources"],
           json({{"memory", {{"limit", 67108864}}},
                 {"cpu", {{"shares", 512}, {"quota", 50000}, {"period", 25000}}},
                 {"pids", {{"limit", 32}}}}));
  CHECK_EQ(oci["linux"]["maskedPaths"], json({"/proc/kcore"}));
  CHECK_EQ(
      oci["linux"]["seccomp"],
      json({{"defaultAction", "SCMP_ACT_ERRNO"},
            {"defaultErrnoRet", 38},
            {"architectures", {"SCMP_ARCH_X86_64"}},
            {"flags", {"SECCOMP_FILTER_FLAG_LOG"}},
            {"syscalls",
             {{{"names", {"read", "write"}}, {"action", "SCMP_ACT_ALLOW"}, {"args", json::array()}},
              {{"names", {"socket"}},
               {"action", "SCMP_ACT_ERRNO"},
               {"errnoRet", 97},
               {"args",
                {{{"index", 2},
                  {"value", UINT64_MAX},
                  {"valueTwo", 9},
                  {"op", "SCMP_CMP_MASKED_EQ"}}}}}}}}));
  CHECK_EQ(oci["jaula"]["seccomp"], "file");
  CHECK_EQ(oci["jaula"]["seccompFile"], "/etc/p.json");
  CHECK_EQ(oci["jaula"]["origins"]["mounts"], json({"web.yaml:14:9", ""}));
}

// The pointers of all members of objects, containers too.
void collect(const json& value, const json::json_pointer& at,
             std::vector<json::json_pointer>& pointers) {
  for (const auto& [key, inner] : value.items()) {
    const json::json_pointer pointer = value.is_array() ? at / std::stoul(key) : at / key;
    if (value.is_object()) pointers.push_back(pointer);
    if (inner.is_structured()) collect(inner, pointer, pointers);
  }
}

// "/process/rlimits/0/type" as an error says it: process.rlimits[0].type
std::string dotted(const json::json_pointer& pointer) {
  std::string path;
  for (json::json_pointer rest = pointer; !rest.empty(); rest.pop_back()) {
    const std::string& word = rest.back();
    const bool index = word.find_first_not_of("0123456789") == word.npos;
    if (!path.empty() && path[0] != '[') path.insert(0, 1, '.');
    path.insert(0, index ? '[' + word + ']' : word);
  }
  return path;
}

bool is_free(const std::string& pointer) {  // names that the user chooses
  return pointer.starts_with("/annotations/") || pointer.starts_with("/linux/sysctl/");
}

TEST_CASE("oci config: no member may be missing, of another type or unknown") {
  const json whole = json::parse(to_json(full_config()));
  std::vector<json::json_pointer> pointers;
  collect(whole, json::json_pointer(), pointers);
  CHECK(pointers.size() > 80);
  // A limit that is not there has no origin either.
  const std::set<std::string> optional = {"/process/oomScoreAdj",
                                          "/process/apparmorProfile",
                                          "/jaula/selinux",
                                          "/linux/personality",
                                          "/jaula/shmSize",
                                          "/jaula/landlock",
                                          "/jaula/landlock/connectTcp",
                                          "/jaula/landlock/bindTcp",
                                          "/jaula/timeLimitMs",
                                          "/jaula/seccompFile",
                                          "/linux/namespaces/1/path",
                                          "/linux/namespaces/3/path",
                                          "/linux/timeOffsets/monotonic",
                                          "/linux/seccomp",
                                          "/linux/seccomp/defaultErrnoRet",
                                          "/linux/seccomp/flags",
                                          "/linux/seccomp/syscalls/1/errnoRet",
                                          "/linux/resources/memory/limit",
                                          "/linux/resources/cpu/shares",
                                          "/linux/resources/cpu/quota",
                                          "/linux/resources/pids/limit"};
  for (const json::json_pointer& pointer : pointers) {
    const std::string path = dotted(pointer);
    const std::string text = pointer.to_string();
    CAPTURE(path);
    json changed = whole;
    changed[pointer] = nullptr;
    CHECK(said_of(changed).starts_with(path + ": not "));
    changed = whole;
    changed[pointer.parent_pointer()].erase(pointer.back());
    if (!is_free(text) && optional.count(text) == 0) CHECK_EQ(said_of(changed), path + ": missing");
    if (!whole[pointer].is_object() || is_free(text + "/")) continue;
    changed = whole;
    changed[pointer]["more"] = 1;
    CHECK_EQ(said_of(changed), path + ".more: unknown");
  }
}

TEST_CASE("oci config: an origin without its limit, mount or rlimit is refused") {
  json changed = json::parse(to_json(full_config()));
  changed["linux"]["resources"]["memory"].erase("limit");
  CHECK_EQ(said_of(changed), "jaula.origins.memory: unknown");
  changed = json::parse(to_json(full_config()));
  changed["mounts"].erase(1);
  CHECK_EQ(said_of(changed), "jaula.origins.mounts: has not one entry for each item");
}

TEST_CASE("oci config: a word that is none of the known ones is refused") {
  json changed = json::parse(to_json(full_config()));
  changed["jaula"]["require"][0] = "selinux";
  CHECK_EQ(said_of(changed), "jaula.require[0]: not one of the known words");
}

TEST_CASE("oci config: arguments and environment are bytes, not text") {
  JailConfig config;
  config.process.args = {"\xff\xfe", "caf\xc3\xa9", "\x80"};
  config.process.env = {"LATIN1=caf\xe9"};
  const std::string text = to_json(config);
  CHECK(json::accept(text));
  const Result<JailConfig> back = config_from_json(text);
  CHECK_EQ(said(back), "");
  CHECK_EQ(back->process.args, config.process.args);
  CHECK_EQ(back->process.env, config.process.env);
}

TEST_CASE("oci config: no part of a text is taken for the whole") {
  const std::string text = to_json(full_config());
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_FALSE(config_from_json(text.substr(0, size)));
}

}  // namespace
}  // namespace jaula::test
