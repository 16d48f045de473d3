#include "runtime/spec/service_spec.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/scratch.h"

namespace jaula::test {

using namespace spec;
using Kind = Override::Kind;

// Loads texts as `web.yaml` in a directory of their own, and prints what comes out without it.
class Specs {
 public:
  SpecFile load(const std::string& text, const LoadOptions& options = {}) {
    put_file(scratch_ / "web.yaml", text);
    return load_spec(scratch_ / "web.yaml", options);
  }
  std::string problems(const std::string& text, const LoadOptions& options = {}) {
    return lines(load(text, options));
  }
  // The problems of a service with a rootfs and, from line 4 on, these keys.
  std::string problems_of_keys(const std::string& keys) {
    return problems("services:\n  web:\n    rootfs: host\n    " + keys + "\n");
  }
  ServiceSpec service(const std::string& keys, const LoadOptions& options = {}) {
    SpecFile file = load("services:\n  web:\n    rootfs: host\n    " + keys + "\n", options);
    CHECK(lines(file) == "");
    return file.services.empty() ? ServiceSpec() : std::move(file.services[0]);
  }
  [[nodiscard]] std::string lines(const SpecFile& file) const {
    std::string text;
    for (const Problem& problem : file.problems)
      text += (text.empty() ? "" : "\n") + problem.line();
    for (std::size_t at = text.find(path()); at != std::string::npos; at = text.find(path()))
      text.erase(at, path().size() + 1);
    return text;
  }
  [[nodiscard]] const std::string& path() const { return scratch_.path(); }
  std::string operator/(const std::string& name) const { return scratch_ / name; }

 private:
  Scratch scratch_;
};

Override flag(const char* name, const char* key, Kind kind, const std::string& value) {
  return {.flag = name, .key = key, .kind = kind, .value = value, .values = {}};
}

LoadOptions with(std::vector<Override> overrides) {
  return {.overrides = std::move(overrides), .service = {}, .directory = {}};
}

std::string pairs(const ServiceSpec& spec) {
  std::string text;
  for (const auto& [name, value] : spec.environment)
    text.append(name).append("=").append(value).append(" ");
  return text;
}

// --- what is wrong with a service, and the exact line that says so

struct BadKeys {
  const char* keys;
  const char* line;
};

constexpr BadKeys kBadKeys[] = {
    // keys
    {"comand: x", "web.yaml:4:5: services.web.comand: unknown key; did you mean `command`?"},
    {"qwertyuiop: x", "web.yaml:4:5: services.web.qwertyuiop: unknown key"},
    {"Command: x", "web.yaml:4:5: services.web.Command: unknown key; did you mean `command`?"},
    {"\"\": x", "web.yaml:4:5: services.web.: unknown key"},
    {"\"a\\e[31m\\nb\": x", "web.yaml:4:5: services.web.a\\x1b[31m\\x0ab: unknown key"},
    {"image: nginx",
     "web.yaml:4:5: services.web.image: not supported yet; use `rootfs: host` or `rootfs:` a "
     "directory"},
    {"ports: ['80:80']", "web.yaml:4:5: services.web.ports: not supported yet"},
    {"healthcheck: {}", "web.yaml:4:5: services.web.healthcheck: not supported yet"},
    {"restart: always", "web.yaml:4:5: services.web.restart: not supported yet"},
    {"rootfs: host", "web.yaml:4:5: key `rootfs` is already given at line 3"},
    {"x-jaula: {rootfs: /x}",
     "web.yaml:4:15: services.web.x-jaula.rootfs: the service itself gives this key at line 3"},
    {"x-jaula: [a]", "web.yaml:4:14: services.web.x-jaula: expected a mapping"},
    {"x-jaula: {comand: x}",
     "web.yaml:4:15: services.web.comand: unknown key; did you mean `command`?"},
    // command, entrypoint
    {"command: \"a 'b\"",
     "web.yaml:4:14: services.web.command: a quote is never closed, or a backslash stands at the "
     "end"},
    {"command: [a, [b]]", "web.yaml:4:18: services.web.command[1]: expected a word, got a list"},
    {"command: [a, ~]", "web.yaml:4:18: services.web.command[1]: expected a word, got nothing"},
    {"command: {a: b}",
     "web.yaml:4:14: services.web.command: expected a list of words, or one string, got a mapping"},
    {"command:",
     "web.yaml:4:5: services.web.command: expected a list of words, or one string, got nothing"},
    // environment, env_file, labels
    {"environment: {\"A B\": x}",
     "web.yaml:4:19: services.web.environment.A B: \"A B\" is not a variable's name"},
    {"environment: [=x]",
     "web.yaml:4:19: services.web.environment[0]: \"\" is not a variable's name"},
    {"environment: {A: [x]}",
     "web.yaml:4:22: services.web.environment.A: expected a string or a number, got a list"},
    {"environment: A=b",
     "web.yaml:4:18: services.web.environment: expected a mapping or a list of NAME=value, got "
     "\"A=b\""},
    {"environment: {A: $}",
     "web.yaml:4:22: services.web.environment.A: a lone `$`; write `$$` for a dollar sign"},
    {"environment: {A: '${JT_NO:?set it}'}",
     "web.yaml:4:22: services.web.environment.A: required variable `JT_NO` is not set: set it"},
    {"env_file: no.env", "web.yaml:4:15: services.web.env_file: no.env: No such file or directory"},
    {"env_file: .", "web.yaml:4:15: services.web.env_file: .: Is a directory"},
    {"env_file: [{required: true}]", "web.yaml:4:16: services.web.env_file[0]: needs `path`"},
    {"env_file: [{path: a, format: raw}]",
     "web.yaml:4:16: services.web.env_file[0]: a: No such file or directory\n"
     "web.yaml:4:26: services.web.env_file[0].format: not supported yet"},
    {"labels: {\"\": x}", "web.yaml:4:14: services.web.labels.: \"\" is not a label's name"},
    // user, hostname, working_dir
    {"user: ' 0'",
     "web.yaml:4:11: services.web.user: expected NAME or UID, with :GROUP or :GID if need be (ids "
     "from 0 to 4294967294), got \" 0\""},
    {"hostname: -web",
     "web.yaml:4:15: services.web.hostname: expected a host name (letters, digits, `-` and `.`, at "
     "most 64 characters, 63 between dots), got \"-web\""},
    {"working_dir: srv",
     "web.yaml:4:18: services.web.working_dir: expected an absolute path in the jail, got \"srv\""},
    {"working_dir: /a/../b",
     "web.yaml:4:18: services.web.working_dir: expected a path without `..`, got \"/a/../b\""},
    // signals and times
    {"stop_signal: SIGFOO",
     "web.yaml:4:18: services.web.stop_signal: expected a signal such as SIGTERM, 15 or RTMIN+3, "
     "got \"SIGFOO\""},
    {"stop_grace_period: -1s",
     "web.yaml:4:24: services.web.stop_grace_period: expected a duration such as 1m30s, got "
     "\"-1s\""},
    {"time_limit: 0s",
     "web.yaml:4:17: services.web.time_limit: expected a duration such as 1m30s, got \"0s\""},
    {"time_limit: 1y",
     "web.yaml:4:17: services.web.time_limit: expected a duration such as 1m30s, got \"1y\""},
    {"init: yes",
     "web.yaml:4:11: services.web.init: expected true or false (in YAML 1.2 yes, no, on and off "
     "are strings), got \"yes\""},
    {"init: 1", "web.yaml:4:11: services.web.init: expected true or false, got \"1\""},
    {"init: [true]", "web.yaml:4:11: services.web.init: expected true or false, got a list"},
    // volumes, tmpfs
    {"volumes: /srv",
     "web.yaml:4:14: services.web.volumes: expected a list of volumes, got \"/srv\""},
    {"volumes: [data:/x]",
     "web.yaml:4:15: services.web.volumes[0]: named volume `data` is not supported yet; for a "
     "directory write `./data`"},
    {"volumes: [/data]",
     "web.yaml:4:15: services.web.volumes[0]: an anonymous volume is not supported yet; for "
     "scratch "
     "space use `tmpfs`"},
    {"volumes: [./a]",
     "web.yaml:4:15: services.web.volumes[0]: expected SOURCE:TARGET or SOURCE:TARGET:ro, got "
     "\"./a\""},
    {"volumes: ['./a:b']",
     "web.yaml:4:15: services.web.volumes[0]: expected an absolute path in the jail, got \"b\""},
    {"volumes: ['./a:/']",
     "web.yaml:4:15: services.web.volumes[0]: the root of the jail cannot be a mount's target"},
    {"volumes: ['./a://.//']",
     "web.yaml:4:15: services.web.volumes[0]: the root of the jail cannot be a mount's target"},
    {"volumes: ['./a:/b/../c']",
     "web.yaml:4:15: services.web.volumes[0]: expected a path without `..`, got \"/b/../c\""},
    {"volumes: [':/b']", "web.yaml:4:15: services.web.volumes[0]: the source is empty"},
    {"volumes: ['./a:/b:Z']",
     "web.yaml:4:15: services.web.volumes[0]: option `Z` is not supported yet"},
    {"volumes: ['./a:/b:readonly']",
     "web.yaml:4:15: services.web.volumes[0]: option `readonly` is unknown; expected one of ro, "
     "rw, "
     "nosuid, suid, noexec, exec, nodev, bind, rbind, idmap"},
    {"volumes: ['./a:/b:dev']",
     "web.yaml:4:15: services.web.volumes[0]: option `dev`: device nodes of a volume stay closed; "
     "see `devices`"},
    {"volumes: ['./a:/b:ro,rslave']",
     "web.yaml:4:15: services.web.volumes[0]: option `rslave` is not possible: the mounts of a "
     "jail "
     "are private; leave it out"},
    {"volumes: [{type: bind, source: ./x, target: /y, bind: {recursive: writable}}]",
     "web.yaml:4:71: services.web.volumes[0].bind.recursive: \"writable\" is not supported yet; "
     "what is mounted below a read-only volume is read-only too"},
    {"volumes: [{type: tmpfs, target: /y, source: ./x}]",
     "web.yaml:4:41: services.web.volumes[0].source: not a key of `type: tmpfs`"},
    {"volumes: [{type: tmpfs, target: /y, tmpfs: {size: 0, mode: 9}}]",
     "web.yaml:4:55: services.web.volumes[0].tmpfs.size: expected a size such as 64m, got \"0\"\n"
     "web.yaml:4:64: services.web.volumes[0].tmpfs.mode: expected an octal mode such as 1777, got "
     "\"9\""},
    {"volumes: [{type: bind, source: ./x, target: /y, tmpfs: {size: 1m}}]",
     "web.yaml:4:53: services.web.volumes[0].tmpfs: belongs to `type: tmpfs`"},
    {"volumes: ['./a:/b:ro:x']",
     "web.yaml:4:15: services.web.volumes[0]: expected SOURCE:TARGET or SOURCE:TARGET:ro, got "
     "\"./a:/b:ro:x\""},
    {"volumes: ['./a:/b', './c:/b/']",
     "web.yaml:4:25: services.web.volumes[1]: /b is already the target of web.yaml:4:15: "
     "services.web.volumes[0]"},
    {"volumes: ['./a:/b']\n    tmpfs: /b",
     "web.yaml:5:12: services.web.tmpfs: /b is already the target of web.yaml:4:15: "
     "services.web.volumes[0]"},
    {"volumes: [{type: volume, source: x, target: /y}]",
     "web.yaml:4:22: services.web.volumes[0].type: \"volume\" is not supported yet; `bind` and "
     "`tmpfs` are"},
    {"volumes: [{type: bind, source: ./x}]",
     "web.yaml:4:15: services.web.volumes[0]: needs `target`"},
    {"volumes: [{source: ./x, target: /y}]",
     "web.yaml:4:15: services.web.volumes[0]: needs `type: bind`"},
    {"volumes: [{type: bind, source: ./x, target: /y, readonly: true}]",
     "web.yaml:4:53: services.web.volumes[0].readonly: unknown key; did you mean `read_only`?"},
    {"volumes: [{type: bind, source: ./x, target: /y, bind: {propagation: shared}}]",
     "web.yaml:4:73: services.web.volumes[0].bind.propagation: `shared` is not possible: the "
     "mounts "
     "of a jail are private; leave it out"},
    {"tmpfs: run",
     "web.yaml:4:12: services.web.tmpfs: expected an absolute path in the jail, got \"run\""},
    {"tmpfs: /run:size=0",
     "web.yaml:4:12: services.web.tmpfs: expected size=64m, mode=1777, uid=N, gid=N, ro, exec or "
     "tmpcopyup as an option, got \"size=0\""},
    {"tmpfs: [/a, '/run:suid']",
     "web.yaml:4:17: services.web.tmpfs[1]: expected size=64m, mode=1777, uid=N, gid=N, ro, exec "
     "or "
     "tmpcopyup as an option, got \"suid\""},
    {"dns: [8.8.8.8, resolver]",
     "web.yaml:4:20: services.web.dns[1]: expected the address of a name server, or a list of "
     "them, "
     "got \"resolver\""},
    {"dns_search: ['a b']",
     "web.yaml:4:18: services.web.dns_search[0]: expected a domain, or a list of them, got \"a "
     "b\""},
    {"dns_opt: ['a b']",
     "web.yaml:4:15: services.web.dns_opt[0]: expected an option such as ndots:2, or a list of "
     "them, "
     "got \"a b\""},
    {"extra_hosts: [db]",
     "web.yaml:4:19: services.web.extra_hosts[0]: expected HOST:ADDRESS or HOST=ADDRESS, got "
     "\"db\""},
    {"extra_hosts: ['db:10.0.0.256']",
     "web.yaml:4:19: services.web.extra_hosts[0]: expected HOST:ADDRESS or HOST=ADDRESS, got "
     "\"db:10.0.0.256\""},
    {"extra_hosts: {db: host-gateway}",
     "web.yaml:4:23: services.web.extra_hosts.db: \"host-gateway\" is not supported yet; a jail "
     "has "
     "no gateway to the host yet; give an address"},
    {"extra_hosts: ['a b=10.0.0.1']",
     "web.yaml:4:19: services.web.extra_hosts[0]: \"a b\" is not a host's name"},
    {"secrets: [token]",
     "web.yaml:4:15: services.web.secrets[0]: there is no secret `token` at the top of the file"},
    {"configs: [{target: /x}]", "web.yaml:4:15: services.web.configs[0]: needs `source`"},
    {"read_only: 'on'",
     "web.yaml:4:16: services.web.read_only: expected true or false (in YAML 1.2 yes, no, on and "
     "off are strings), got \"on\""},
    // resources
    {"mem_limit: 12q",
     "web.yaml:4:16: services.web.mem_limit: expected a size such as 64m, got \"12q\""},
    {"mem_limit: -64m",
     "web.yaml:4:16: services.web.mem_limit: expected a size such as 64m, got \"-64m\""},
    {"mem_limit: 64",
     "web.yaml:4:16: services.web.mem_limit: expected a size of at least 256k, such as 64m, got "
     "\"64\""},
    {"mem_limit: 0",
     "web.yaml:4:16: services.web.mem_limit: expected a size of at least 256k, such as 64m, got "
     "\"0\""},
    {"mem_limit: 9999999999999g",
     "web.yaml:4:16: services.web.mem_limit: expected a size such as 64m, got \"9999999999999g\""},
    {"mem_limit: 101%",
     "web.yaml:4:16: services.web.mem_limit: expected a size such as 64m, got \"101%\""},
    {"mem_limit: 64ñ",
     "web.yaml:4:16: services.web.mem_limit: expected a size such as 64m, got \"64ñ\""},
    {"cpus: 0",
     "web.yaml:4:11: services.web.cpus: expected a number of CPUs from 0.01 to 8192, got \"0\""},
    {"cpus: .nan",
     "web.yaml:4:11: services.web.cpus: expected a number of CPUs such as 0.5, got \".nan\""},
    {"cpus: 100000",
     "web.yaml:4:11: services.web.cpus: expected a number of CPUs from 0.01 to 8192, got "
     "\"100000\""},
    {"cpu_shares: 1",
     "web.yaml:4:17: services.web.cpu_shares: expected a whole number from 2 to 262144, got \"1\""},
    {"pids_limit: 0",
     "web.yaml:4:17: services.web.pids_limit: expected a whole number from 1 to 4194304, or -1 for "
     "no limit, got \"0\""},
    {"pids_limit: 010",
     "web.yaml:4:17: services.web.pids_limit: expected a whole number from 1 to 4194304, or -1 for "
     "no limit, got \"010\""},
    {"ulimits: {nofiles: 1}",
     "web.yaml:4:15: services.web.ulimits.nofiles: unknown ulimit `nofiles`; did you mean "
     "`nofile`?"},
    {"ulimits: {nofile: {soft: 2, hard: 1}}",
     "web.yaml:4:23: services.web.ulimits.nofile: the soft limit is above the hard one"},
    {"ulimits: {nofile: {soft: -1, hard: 1}}",
     "web.yaml:4:23: services.web.ulimits.nofile: the soft limit is above the hard one"},
    {"ulimits: {nofile: {soft: 2}}",
     "web.yaml:4:23: services.web.ulimits.nofile: needs both `soft` and `hard`"},
    {"ulimits: {nofile: -2}",
     "web.yaml:4:23: services.web.ulimits.nofile: expected a number, SOFT:HARD or {soft: N, hard: "
     "N} (-1: unlimited), got \"-2\""},
    {"ulimits: nofile",
     "web.yaml:4:14: services.web.ulimits: expected a mapping of limits, got \"nofile\""},
    // isolation
    {"cap_add: NET_ADMIN",
     "web.yaml:4:14: services.web.cap_add: expected a list of capabilities, got \"NET_ADMIN\""},
    {"cap_add: [NET_ADMN]",
     "web.yaml:4:15: services.web.cap_add[0]: unknown capability \"NET_ADMN\"; did you mean "
     "`NET_ADMIN`?"},
    {"security_opt: [no-new-privs]",
     "web.yaml:4:20: services.web.security_opt[0]: unknown security option \"no-new-privs\""},
    {"security_opt: [no-new-privilege]",
     "web.yaml:4:20: services.web.security_opt[0]: unknown security option \"no-new-privilege\"; "
     "did you mean `no-new-privileges`?"},
    {"security_opt: ['no-new-privileges:maybe']",
     "web.yaml:4:20: services.web.security_opt[0]: expected no-new-privileges:true or "
     "no-new-privileges:false, got \"no-new-privileges:maybe\""},
    {"security_opt: [proc-opts=hidepid=2]",
     "web.yaml:4:20: services.web.security_opt[0]: \"proc-opts=hidepid=2\" is not supported yet"},
    {"security_opt: [systempaths=x, 'mask=/a:b', 'unmask=', mask=/]",
     "web.yaml:4:20: services.web.security_opt[0]: expected systempaths=unconfined, got "
     "\"systempaths=x\"\n"
     "web.yaml:4:35: services.web.security_opt[1]: expected an absolute path in the jail, got "
     "\"b\"\n"
     "web.yaml:4:48: services.web.security_opt[2]: expected an absolute path in the jail, got "
     "\"\"\n"
     "web.yaml:4:59: services.web.security_opt[3]: the root of the jail itself; see `read_only`"},
    {"security_opt: ['apparmor=', 'apparmor= a', label, label=typ:x, 'label=type:a b', "
     "label=filetype:x, label=disable, label=type:x]",
     "web.yaml:4:20: services.web.security_opt[0]: expected apparmor=PROFILE or "
     "apparmor=unconfined, got \"apparmor=\"\n"
     "web.yaml:4:33: services.web.security_opt[1]: expected apparmor=PROFILE or "
     "apparmor=unconfined, got \"apparmor= a\"\n"
     "web.yaml:4:48: services.web.security_opt[2]: expected label=disable, or label=user:, role:, "
     "type: or level: with a value, got \"label\"\n"
     "web.yaml:4:55: services.web.security_opt[3]: expected label=disable, or label=user:, role:, "
     "type: or level: with a value, got \"label=typ:x\"\n"
     "web.yaml:4:68: services.web.security_opt[4]: expected label=disable, or label=user:, role:, "
     "type: or level: with a value, got \"label=type:a b\"\n"
     "web.yaml:4:86: services.web.security_opt[5]: \"label=filetype:x\" is not supported yet\n"
     "web.yaml:4:119: services.web.security_opt[7]: a part of a label contradicts label=disable"},
    {"devices: [x, '/dev/a:/b:rr', '/dev/a:/b:', '/dev/a:b', '/dev/a:/b:r:w', v.com/x=y, [a], "
     "{target: /dev/x}, {source: /dev/x, permissions: q, sourc: a}, '/dev/a:/']",
     "web.yaml:4:15: services.web.devices[0]: expected the absolute path of a device, got \"x\"\n"
     "web.yaml:4:18: services.web.devices[1]: expected some of r, w and m, each once, got \"rr\"\n"
     "web.yaml:4:34: services.web.devices[2]: expected some of r, w and m, each once, got \"\"\n"
     "web.yaml:4:48: services.web.devices[3]: expected an absolute path in the jail, got \"b\"\n"
     "web.yaml:4:60: services.web.devices[4]: expected /dev/x, /dev/x:/dev/y or /dev/x:/dev/y:rwm, "
     "got \"/dev/a:/b:r:w\"\n"
     "web.yaml:4:77: services.web.devices[5]: \"v.com/x=y\" is not supported yet; a device is "
     "named "
     "by its path, such as /dev/fuse\n"
     "web.yaml:4:88: services.web.devices[6]: expected /dev/x, /dev/x:/dev/y or /dev/x:/dev/y:rwm, "
     "got a list\n"
     "web.yaml:4:93: services.web.devices[7]: needs `source`\n"
     "web.yaml:4:141: services.web.devices[8].permissions: expected some of r, w and m, each once, "
     "got \"q\"\n"
     "web.yaml:4:144: services.web.devices[8].sourc: unknown key; did you mean `source`?\n"
     "web.yaml:4:155: services.web.devices[9]: the root of the jail cannot be a device"},
    {"devices: [/dev/a, /dev/b:/dev/a]\n    tmpfs: /dev/a",
     "web.yaml:4:23: services.web.devices[1]: /dev/a is already the target of "
     "web.yaml:4:15: services.web.devices[0]\n"
     "web.yaml:5:12: services.web.tmpfs: /dev/a is already the target of "
     "web.yaml:4:23: services.web.devices[1]"},
    {"privileged: yes",
     "web.yaml:4:17: services.web.privileged: expected true or false (in YAML 1.2 yes, no, on and "
     "off "
     "are strings), got \"yes\""},
    {"personality: linux64",
     "web.yaml:4:18: services.web.personality: expected linux or linux32, got \"linux64\""},
    {"mask: /a",
     "web.yaml:4:11: services.web.mask: expected a list of paths in the jail, got \"/a\""},
    {"mask: [a, /b/../c, /, //]",
     "web.yaml:4:12: services.web.mask[0]: expected an absolute path in the jail, got \"a\"\n"
     "web.yaml:4:15: services.web.mask[1]: expected a path without `..`, got \"/b/../c\"\n"
     "web.yaml:4:24: services.web.mask[2]: the root of the jail itself; see `read_only`\n"
     "web.yaml:4:27: services.web.mask[3]: the root of the jail itself; see `read_only`"},
    {"readonly_paths: [{}]",
     "web.yaml:4:22: services.web.readonly_paths[0]: expected an absolute path in the jail, got a "
     "mapping"},
    {"security_opt: [seccomp=unconfined]\n    seccomp: strict",
     "web.yaml:5:14: services.web.seccomp: another profile is given by web.yaml:4:20: "
     "services.web.security_opt[0]"},
    {"seccomp: defualt",
     "web.yaml:4:14: services.web.seccomp: unknown profile \"defualt\"; did you mean `default`?"},
    {"seccomp: builtin",
     "web.yaml:4:14: services.web.seccomp: expected default, strict, unconfined, a JSON profile "
     "such as ./profile.json, or {allow: [...], deny: [...], mode: log}, got \"builtin\""},
    {"seccomp: ./none.json",
     "web.yaml:4:14: services.web.seccomp: ./none.json: No such file or directory"},
    {"security_opt: ['seccomp:./none.json']",
     "web.yaml:4:20: services.web.security_opt[0]: ./none.json: No such file or directory"},
    {"seccomp: {}", "web.yaml:4:14: services.web.seccomp: needs `allow`, `deny` or `mode`"},
    {"seccomp: {alow: []}",
     "web.yaml:4:15: services.web.seccomp.alow: unknown key; did you mean `allow`?"},
    {"seccomp: {allow: read}",
     "web.yaml:4:22: services.web.seccomp.allow: expected a list of system calls and @groups, got "
     "\"read\""},
    {"seccomp: {allow: ['@basic-oi']}",
     "web.yaml:4:23: services.web.seccomp.allow[0]: unknown group \"@basic-oi\"; did you mean "
     "`@basic-io`?"},
    {"seccomp: {deny: [mountt]}",
     "web.yaml:4:22: services.web.seccomp.deny[0]: unknown system call \"mountt\"; did you mean "
     "`mount`?"},
    {"seccomp: {deny: ['@default']}",
     "web.yaml:4:22: services.web.seccomp.deny[0]: without `execve` nothing can be started"},
    {"seccomp: {deny: [default]}",
     "web.yaml:4:22: services.web.seccomp.deny[0]: `default` is a profile, which only `allow` can "
     "begin from"},
    {"seccomp: {deny: [{name: read}]}",
     "web.yaml:4:22: services.web.seccomp.deny[0]: `deny` takes names alone; conditions are for "
     "`allow`"},
    {"seccomp: {mode: kill}",
     "web.yaml:4:21: services.web.seccomp.mode: expected enforce or log, got \"kill\""},
    {"seccomp: {allow: [{args: []}]}",
     "web.yaml:4:23: services.web.seccomp.allow[0]: needs `name`"},
    {"seccomp: {allow: [{name: socket, args: [{index: 0, value: 1}]}]}",
     "web.yaml:4:45: services.web.seccomp.allow[0].args[0]: needs `index`, `value` and `op`"},
    {"seccomp: {allow: [{name: socket, args: [{index: 6, value: -1, op: EQ}]}]}",
     "web.yaml:4:53: services.web.seccomp.allow[0].args[0].index: expected 0 to 5, got \"6\"\n"
     "web.yaml:4:63: services.web.seccomp.allow[0].args[0].value: expected a whole number such as "
     "10 or 0x10, got \"-1\"\n"
     "web.yaml:4:71: services.web.seccomp.allow[0].args[0].op: expected an operator such as "
     "SCMP_CMP_EQ, got \"EQ\""},
    {"sysctls: {net..x: 1}",
     "web.yaml:4:15: services.web.sysctls.net..x: \"net..x\" is not a sysctl's name"},
    {"sysctls: {../x: 1}",
     "web.yaml:4:15: services.web.sysctls.../x: \"../x\" is not a sysctl's name"},
    {"sysctls: {a: \"1\\n2\"}",
     "web.yaml:4:18: services.web.sysctls.a: a newline in a sysctl's value"},
    {"sysctls: [a]", "web.yaml:4:15: services.web.sysctls[0]: expected a value, got \"a\""},
    {"network_mode: bridge",
     "web.yaml:4:19: services.web.network_mode: \"bridge\" is not supported yet"},
    {"network_mode: \"service:\"",
     "web.yaml:4:19: services.web.network_mode: expected the name of a jail behind the colon, got "
     "\"service:\""},
    {"pid: ns:here",
     "web.yaml:4:10: services.web.pid: expected an absolute path of the host behind `ns:`, got "
     "\"ns:here\""},
    {"ipc: 7",
     "web.yaml:4:10: services.web.ipc: expected private, none, host, jail:NAME or ns:PATH, got "
     "\"7\""},
    {"cgroup: jail:db",
     "web.yaml:4:13: services.web.cgroup: expected private or host, got \"jail:db\""},
    {"pid: host\n    namespaces: {pid: private}",
     "web.yaml:5:23: services.web.namespaces.pid: contradicts `pid` at web.yaml:4:10: "
     "services.web.pid"},
    {"namespaces: {mnt: host}",
     "web.yaml:4:18: services.web.namespaces.mnt: unknown key; there are pid, ipc, uts, net, "
     "cgroup "
     "and time"},
    {"namespaces: {time: {realtime: 1h}}",
     "web.yaml:4:25: services.web.namespaces.time.realtime: unknown key"},
    {"namespaces: {time: {boottime: soon}}",
     "web.yaml:4:35: services.web.namespaces.time.boottime: expected a duration such as 1h or "
     "-90s, "
     "got \"soon\""},
    {"network_mode: wifi",
     "web.yaml:4:19: services.web.network_mode: expected private, none, host, jail:NAME or "
     "ns:PATH, got \"wifi\""},
    {"userns_mode: keepid",
     "web.yaml:4:18: services.web.userns_mode: expected auto, host, keep-id or {uid: [...], gid: "
     "[...]}, got \"keepid\""},
    {"userns_mode: {uid: ['0:1:1']}",
     "web.yaml:4:18: services.web.userns_mode: needs `uid` and `gid`, each a list of "
     "INSIDE:OUTSIDE:COUNT"},
    {"userns_mode: {uid: ['0:1:0'], gid: ['0:1:1']}",
     "web.yaml:4:25: services.web.userns_mode.uid[0]: expected INSIDE:OUTSIDE:COUNT, ids below "
     "4294967295, got \"0:1:0\""},
    {"userns_mode: {uid: ['0:1:4294967295'], gid: ['0:1:1']}",
     "web.yaml:4:25: services.web.userns_mode.uid[0]: expected INSIDE:OUTSIDE:COUNT, ids below "
     "4294967295, got \"0:1:4294967295\""},
    {"userns_mode: {uid: ['0:100:2', '1:200:1'], gid: ['0:1:1']}",
     "web.yaml:4:24: services.web.userns_mode.uid: ranges overlap"},
    {"userns_mode: {uid: ['0:100:2', '2:101:1'], gid: ['0:1:1']}",
     "web.yaml:4:24: services.web.userns_mode.uid: ranges overlap"},
    {"require: cgroup",
     "web.yaml:4:14: services.web.require: expected all, or a list of cgroup, seccomp, landlock, "
     "userns, got \"cgroup\""},
    {"require: [selinux]",
     "web.yaml:4:15: services.web.require[0]: expected cgroup, seccomp, landlock or userns, got "
     "\"selinux\""},
    // group_add, shm_size, oom_score_adj
    {"group_add: web",
     "web.yaml:4:16: services.web.group_add: expected a list of groups, got \"web\""},
    {"group_add: [web, 010]",
     "web.yaml:4:22: services.web.group_add[1]: expected the name or the number of a group (0 to "
     "4294967294), got \"010\""},
    {"group_add: ['a b']",
     "web.yaml:4:17: services.web.group_add[0]: expected the name or the number of a group (0 to "
     "4294967294), got \"a b\""},
    {"shm_size: 0",
     "web.yaml:4:15: services.web.shm_size: expected a size of at least 4k, such as 64m, got "
     "\"0\""},
    {"shm_size: 12q",
     "web.yaml:4:15: services.web.shm_size: expected a size of at least 4k, such as 64m, got "
     "\"12q\""},
    {"shm_size: [64m]",
     "web.yaml:4:15: services.web.shm_size: expected a size of at least 4k, such as 64m, got a "
     "list"},
    {"oom_score_adj: 1001",
     "web.yaml:4:20: services.web.oom_score_adj: expected a whole number from -1000 to 1000, got "
     "\"1001\""},
    {"oom_score_adj: -1001",
     "web.yaml:4:20: services.web.oom_score_adj: expected a whole number from -1000 to 1000, got "
     "\"-1001\""},
    {"oom_score_adj: low",
     "web.yaml:4:20: services.web.oom_score_adj: expected a whole number from -1000 to 1000, got "
     "\"low\""},
    // landlock
    {"landlock: strict",
     "web.yaml:4:15: services.web.landlock: expected a mapping with exec, ro, rw, connect_tcp, "
     "bind_tcp, scopes or level, got \"strict\""},
    {"landlock: {}",
     "web.yaml:4:15: services.web.landlock: asks for nothing: give `exec` (with `ro` and `rw`), "
     "`connect_tcp`, `bind_tcp` or `scopes`"},
    {"landlock: {level: prefer, scopes: []}",
     "web.yaml:4:15: services.web.landlock: asks for nothing: give `exec` (with `ro` and `rw`), "
     "`connect_tcp`, `bind_tcp` or `scopes`"},
    {"landlock: {ro: [/etc]}",
     "web.yaml:4:15: services.web.landlock: `exec` lists nothing, and then not even the command "
     "can be executed"},
    {"landlock: {exec: [], bind_tcp: [80]}",
     "web.yaml:4:15: services.web.landlock: `exec` lists nothing, and then not even the command "
     "can be executed"},
    {"landlock: {exec: /usr}",
     "web.yaml:4:22: services.web.landlock.exec: expected a list of paths in the jail, got "
     "\"/usr\""},
    {"landlock: {exec: [/usr, etc]}",
     "web.yaml:4:29: services.web.landlock.exec[1]: expected an absolute path in the jail, got "
     "\"etc\""},
    {"landlock: {exec: [/usr], rw: [/tmp/../etc]}",
     "web.yaml:4:35: services.web.landlock.rw[0]: expected a path without `..`, got "
     "\"/tmp/../etc\""},
    {"landlock: {exec: [/usr], ro: [[/etc]]}",
     "web.yaml:4:35: services.web.landlock.ro[0]: expected an absolute path in the jail, got a "
     "list"},
    {"landlock: {exe: [/usr], scopes: [signal]}",
     "web.yaml:4:16: services.web.landlock.exe: unknown key; did you mean `exec`?"},
    {"landlock: {connect_tcp: [0]}",
     "web.yaml:4:30: services.web.landlock.connect_tcp[0]: expected a port from 1 to 65535, got "
     "\"0\""},
    {"landlock: {connect_tcp: 443}",
     "web.yaml:4:29: services.web.landlock.connect_tcp: expected a list of ports, got \"443\""},
    {"landlock: {bind_tcp: [80, 65536]}",
     "web.yaml:4:31: services.web.landlock.bind_tcp[1]: expected a port from 1 to 65535, or 0 for "
     "one that the kernel chooses, got \"65536\""},
    {"landlock: {bind_tcp: [http]}",
     "web.yaml:4:27: services.web.landlock.bind_tcp[0]: expected a port from 1 to 65535, or 0 for "
     "one that the kernel chooses, got \"http\""},
    {"landlock: {scopes: [signals]}",
     "web.yaml:4:25: services.web.landlock.scopes[0]: expected signal or abstract_unix_socket, got "
     "\"signals\""},
    {"landlock: {scopes: [signal], level: must}",
     "web.yaml:4:41: services.web.landlock.level: expected require or prefer, got \"must\""},
};

TEST_CASE("spec: each bad value is refused with its place, its path and what was expected") {
  ::unsetenv("JT_NO");
  Specs specs;
  for (const auto& [written, line] : kBadKeys) {
    const std::string keys = written;
    CAPTURE(keys);
    CHECK(specs.problems_of_keys(keys) == std::string(line));
  }
}

TEST_CASE("spec: each bad file is refused as a whole") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "web.yaml: the file is empty; a spec needs `services:`"},
      {"# nothing\n", "web.yaml: the file is empty; a spec needs `services:`"},
      {"[a]", "web.yaml:1:1: expected a mapping with `services:`, got a list"},
      {"hello", "web.yaml:1:1: expected a mapping with `services:`, got \"hello\""},
      {"name: x", "web.yaml:1:1: needs `services:`"},
      {"services: [a]", "web.yaml:1:11: services: expected a mapping of services, got a list"},
      {"services:", "web.yaml:1:1: services: expected a mapping of services, got nothing"},
      {"services: {}", "web.yaml:1:11: services: needs at least one service"},
      {"services: {web: }", "web.yaml:1:12: services.web: needs `rootfs: host` or a directory"},
      {"services: {web: {rootfs: }}",
       "web.yaml:1:18: services.web.rootfs: expected `host` or a directory, got nothing"},
      {"services: {web: {rootfs: ''}}",
       "web.yaml:1:26: services.web.rootfs: expected `host` or a directory, got \"\""},
      {"services: {web: x}", "web.yaml:1:17: services.web: expected a mapping, got \"x\""},
      {"services: {w b: {rootfs: host}}",
       "web.yaml:1:12: services.w b: expected a name (letters, digits, `_`, `.` and `-`, at most "
       "64 "
       "characters)"},
      {"services: {../x: {rootfs: host}}",
       "web.yaml:1:12: services.../x: expected a name (letters, digits, `_`, `.` and `-`, at most "
       "64 characters)"},
      {"name: a/b\nservices: {web: {rootfs: host}}",
       "web.yaml:1:7: name: expected a name (letters, digits, `_`, `.` and `-`, at most 64 "
       "characters), got \"a/b\""},
      {"services: {web: {rootfs: host}}\nnetworks: {}",
       "web.yaml:2:1: networks: not supported yet"},
      {"services: {web: {rootfs: host}}\nvolumes: {d: }",
       "web.yaml:2:1: volumes: not supported yet"},
      {"services: {web: {rootfs: host}}\nservice: {}",
       "web.yaml:2:1: service: unknown key; did you mean `services`?"},
      {"services: {web: {rootfs: host}}\nmem_limit: 64m",
       "web.yaml:2:1: mem_limit: a key of a service; it belongs under `services:` and the "
       "service's "
       "name"},
      {"services: {web: {rootfs: host}}\nversion: '3'",
       "web.yaml:2:10: version: obsolete, without effect"},
      {"a: 1\n\tb: 2", "web.yaml:2:1: not valid YAML: a tab does not indent; use spaces"},
      {"a: [", "web.yaml:1:4: not valid YAML: a `[` is not closed"},
      {"a: \xFF", "web.yaml:1:4: invalid UTF-8"},
      {"a: &a [*a]", "web.yaml:1:8: an alias inside what it stands for"},
  };
  Specs specs;
  for (const auto& [written, line] : cases) {
    const std::string text = written;
    CAPTURE(text);
    CHECK(specs.problems(text) == std::string(line));
  }
  CHECK(specs.problems(std::string((1 << 20) + 1, '#')) == "web.yaml: larger than 1 MiB");
  CHECK(specs.problems(std::string(1 << 20, '#')).ends_with("is empty; a spec needs `services:`"));
}

TEST_CASE("spec: a file that cannot be read says why") {
  Specs specs;
  CHECK(specs.lines(load_spec(specs / "no.yaml", {})) == "no.yaml: No such file or directory");
  CHECK(load_spec("/", {}).problems.at(0).line() == "/: Is a directory");
  CHECK(load_spec("", {}).problems.at(0).line() == "No such file or directory");
  CHECK_FALSE(load_spec("/dev/null/x", {}).ok());
  CHECK(load_spec("/dev/zero", {}).problems.at(0).line() == "/dev/zero: larger than 1 MiB");
}

TEST_CASE("spec: all problems of a file are reported together, by line") {
  Specs specs;
  CHECK(
      specs.problems("services:\n  web:\n    init: 3\n    rootfs: host\n    cpus: x\n    user: -1\n"
                     "  db:\n    cpus: 0.5\nfoo: 1\n",
                     with({flag("--memory", "services.web.mem_limit", Kind::kScalar, "12q")})) ==
      "--memory: expected a size such as 64m, got \"12q\"\n"
      "web.yaml:3:11: services.web.init: expected true or false, got \"3\"\n"
      "web.yaml:5:11: services.web.cpus: expected a number of CPUs such as 0.5, got \"x\"\n"
      "web.yaml:6:11: services.web.user: expected NAME or UID, with :GROUP or :GID if need be (ids "
      "from 0 to 4294967294), got \"-1\"\n"
      "web.yaml:7:3: services.db: needs `rootfs: host` or a directory\n"
      "web.yaml:9:1: foo: unknown key");
}

TEST_CASE("spec: a hostile number of problems ends at a hundred") {
  Specs specs;
  std::string text = "services:\n  web:\n    rootfs: host\n";
  for (int i = 0; i < 30'000; ++i) text += "    comand" + std::to_string(i) + ": x\n";
  CHECK(specs.load(text).problems.size() == 100);
}

// --- what is read

TEST_CASE("spec: a service without more than a rootfs leaves every other key unset") {
  Specs specs;
  const SpecFile file = specs.load("name: hello\nservices: {web: {rootfs: ./root}}");
  REQUIRE(file.ok());
  const ServiceSpec& spec = file.services.at(0);
  CHECK(file.name == "hello");
  CHECK(spec.project == "hello");
  CHECK(spec.name == "web");
  CHECK(spec.rootfs->value == specs.path() + "/root");
  CHECK(spec.rootfs->origin.text() == specs.path() + "/web.yaml:2:26: services.web.rootfs");
  CHECK(spec.origin.text() == specs.path() + "/web.yaml:2:12: services.web");
  CHECK_FALSE(spec.command);
  CHECK_FALSE(spec.mem_limit);
  CHECK_FALSE(spec.read_only);
  CHECK(spec.volumes.empty());
}

TEST_CASE("spec: a project without a name is called like its directory") {
  Scratch scratch;
  std::filesystem::create_directory(scratch / "my (web) app");
  put_file(scratch / "my (web) app/a.yaml", "services: {web: {rootfs: host}}");
  CHECK(load_spec(scratch / "my (web) app/a.yaml", {}).name == "mywebapp");
}

TEST_CASE("spec: commands are lists or strings split as a shell does") {
  Specs specs;
  using Words = std::vector<std::string>;
  CHECK(specs.service("command: [sleep, 10, '', true]").command->value ==
        Words{"sleep", "10", "", "true"});
  CHECK(specs.service("command: sh -c 'echo \"a b\"'").command->value ==
        Words{"sh", "-c", "echo \"a b\""});
  CHECK(specs.service("command: []").command->value.empty());
  CHECK(specs.service("entrypoint: [/init]").entrypoint->value == Words{"/init"});
}

TEST_CASE("spec: the environment is env files, then environment, the later winning in place") {
  ::setenv("JT_SET", "v", 1);
  ::unsetenv("JT_NO");
  Specs specs;
  put_file(specs / "a.env", "A=1\nB=$JT_SET\nJT_NO\n");
  put_file(specs / "b.env", "B='2'\nC=3\n");
  CHECK(pairs(specs.service("env_file: [a.env, {path: b.env}, {path: no, required: false}]\n"
                            "    environment: {D: yes, A: 1e3, JT_SET: , JT_NO: , E: ''}")) ==
        "A=1e3 B=2 C=3 D=yes JT_SET=v E= ");
  CHECK(pairs(specs.service("environment: [X=a=b, JT_SET, JT_NO, X=c]")) == "X=c JT_SET=v ");
  put_file(specs / "bad.env", "A=1\n=2\n");
  CHECK(specs.problems_of_keys("env_file: bad.env") == "bad.env:2:1: expected NAME=value");
  put_file(specs / "bad.env", "A=\"1\\\n2\n3\"\n=2\n");
  CHECK(specs.problems_of_keys("env_file: bad.env") == "bad.env:4:1: expected NAME=value");
  ::unsetenv("JT_SET");
}

TEST_CASE("spec: variables come from the environment over .env, in values alone") {
  ::setenv("JT_SET", "env", 1);
  Specs specs;
  put_file(specs / ".env", "JT_SET=file\nJT_FILE=from file\nJT_RO=true\n");
  const SpecFile file = specs.load(
      "name: ${JT_NAME:-x}\nx-ignored: $\nservices:\n  web:\n    rootfs: host\n    x-too: ${\n"
      "    read_only: ${JT_RO}\n    environment: {$A: '$JT_SET $JT_FILE $$'}\n"
      "    hostname: $JT_UNSET\n    command: ['${JT_UNSET}']\n");
  CHECK(
      specs.lines(file) ==
      "web.yaml:9:15: services.web.hostname: variable `JT_UNSET` is not set; it becomes empty\n"
      "web.yaml:9:15: services.web.hostname: expected a host name (letters, digits, `-` and `.`, "
      "at most 64 characters, 63 between dots), got \"\"\n"
      "web.yaml:10:15: services.web.command[0]: variable `JT_UNSET` is not set; it becomes empty");
  const ServiceSpec spec =
      specs.service("read_only: ${JT_RO}\n    environment: {$A: '$JT_SET $JT_FILE $$'}");
  CHECK(spec.read_only->value);
  CHECK(pairs(spec) == "$A=env from file $ ");
  put_file(specs / ".env", "A\nB='\n");
  CHECK(specs.problems_of_keys("init: true") == ".env:2:3: a quote that is never closed");
  ::unsetenv("JT_SET");
}

TEST_CASE("spec: volumes have a short and a long form and absolute, normalised paths") {
  ::setenv("HOME", "/home/x", 1);
  Specs specs;
  const ServiceSpec spec = specs.service(
      "volumes:\n      - ./www:/srv//www/.:ro\n      - data/x/:/a:rw\n      - ~/y:/b\n"
      "      - ../z:/c\n      - /abs//p:/d\n"
      "      - {type: bind, source: ., target: /e, read_only: true, bind: {create_host_path: "
      "true}}");
  REQUIRE(spec.volumes.size() == 6);
  const std::vector<std::string> sources = {specs / "www",  specs / "data/x", "/home/x/y",
                                            specs / "../z", "/abs/p",         specs.path()};
  const char* targets[] = {"/srv/www", "/a", "/b", "/c", "/d", "/e"};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    CHECK(spec.volumes[i].source == sources[i]);
    CHECK(spec.volumes[i].target == targets[i]);
    CHECK(spec.volumes[i].read_only == (i == 0 || i == 5));
    CHECK(spec.volumes[i].create_host_path == (i == 5));
  }
  CHECK(specs.service("volumes: [{type: bind, source: ., target: /e, create_host_path: true}]")
            .volumes.at(0)
            .create_host_path);
  CHECK(spec.volumes[1].origin.text() == specs.path() + "/web.yaml:6:9: services.web.volumes[1]");
}

TEST_CASE("spec: tmpfs is one path or several, with a size and a mode") {
  Specs specs;
  CHECK(specs.service("tmpfs: /run").tmpfs.at(0).target == "/run");
  const ServiceSpec spec =
      specs.service("tmpfs: [/a/, '/b:rw,noexec,nosuid,nodev,size=64m,mode=1777']");
  CHECK(spec.tmpfs.at(0).target == "/a");
  CHECK_FALSE(spec.tmpfs.at(0).size);
  CHECK(spec.tmpfs.at(1).size == 64U << 20);
  CHECK(spec.tmpfs.at(1).mode == 01777U);
}

TEST_CASE("spec: a tmpfs may be executed, read-only, owned, or begin with what is there") {
  Specs specs;
  const ServiceSpec spec = specs.service(
      "tmpfs: ['/a:exec,ro,tmpcopyup,uid=3,gid=4']\n    volumes: [{type: tmpfs, target: /b, "
      "read_only: true, tmpfs: {size: 1m, mode: 0700}}]");
  REQUIRE(spec.tmpfs.size() == 2);
  // A volume is read before.
  CHECK(spec.tmpfs[0].target == "/b");
  CHECK(spec.tmpfs[0].read_only);
  CHECK(spec.tmpfs[0].size == 1U << 20);
  CHECK(spec.tmpfs[0].mode == 0700U);
  CHECK(spec.tmpfs[1].exec);
  CHECK(spec.tmpfs[1].copy_up);
  CHECK(*spec.tmpfs[1].uid + *spec.tmpfs[1].gid == 7);
}

TEST_CASE("spec: configs and secrets are defined anywhere in the file, and granted by name") {
  ::setenv("JT_TOKEN", "from the environment", 1);
  Specs specs;
  const SpecFile file = specs.load(
      "secrets: {t: {environment: JT_TOKEN}, gone: {environment: JT_GONE}}\n"
      "services: {web: {rootfs: host, secrets: [t, gone, {source: t, target: x/y, mode: 0666}], "
      "configs: [{source: c, target: app.conf, uid: 33, gid: 0}]}}\n"
      "configs: {c: {content: text}}\n");
  CHECK(specs.lines(file) == "");
  const auto& files = file.services.at(0).files;
  REQUIRE(files.size() == 4);
  CHECK(files[0].target == "/app.conf");
  CHECK(files[0].object.content == "text");
  CHECK(files[0].uid == 33U);
  CHECK_FALSE(files[0].mode);
  CHECK(files[1].target == "/run/secrets/t");
  CHECK(files[1].object.content == "from the environment");
  CHECK_FALSE(files[2].object.content);
  CHECK(files[3].target == "/run/secrets/x/y");
  CHECK(files[3].mode == 0444U);  // nobody writes a secret
  ::unsetenv("JT_TOKEN");
  CHECK(
      specs.problems(
          "services: {web: {rootfs: host}}\nsecrets: {a: {external: true}}\n"
          "configs: {b: {}, c: {file: ./x, content: y}, d: {content: z, driver: q}}\n") ==
      "web.yaml:2:25: secrets.a.external: \"true\" is not supported yet; there is no store that it "
      "could be in; use `file` or `environment`\n"
      "web.yaml:3:11: configs.b: needs one of `file`, `content` and `environment`\n"
      "web.yaml:3:18: configs.c: needs one of `file`, `content` and `environment`\n"
      "web.yaml:3:62: configs.d.driver: not supported yet");
}

TEST_CASE("to_yaml: the content of a secret is not printed, and what is does not load without it") {
  Specs specs;
  const std::string yaml = to_yaml(
      specs.load("secrets: {db.key: {content: hunter2}}\nservices: {web: {rootfs: host}}\n"));
  CHECK(yaml.find("hunter2") == std::string::npos);
  CHECK(specs.problems(yaml).find("the content of a secret is not printed") != std::string::npos);
}

TEST_CASE("spec: hosts are a list or a mapping, with `:` or `=`, and brackets around IPv6") {
  Specs specs;
  const auto text = [](const ServiceSpec& spec) {
    std::string all;
    for (const ExtraHost& host : spec.extra_hosts) all += host.name + " " + host.address + "\n";
    return all;
  };
  CHECK(text(specs.service(
            "extra_hosts: ['a:10.0.0.1', 'b=10.0.0.2', 'c:[::1]', 'd=::1', 'e:::1']")) ==
        "a 10.0.0.1\nb 10.0.0.2\nc ::1\nd ::1\ne ::1\n");
  CHECK(text(specs.service("extra_hosts: {a: 10.0.0.1, b: [10.0.0.2, '::1']}")) ==
        "a 10.0.0.1\nb 10.0.0.2\nb ::1\n");
}

TEST_CASE("spec: resources are bytes, millionths of a CPU and counts") {
  Specs specs;
  const ServiceSpec spec = specs.service(
      "mem_limit: 64m\n    cpus: 0.5\n    cpu_shares: 512\n    pids_limit: -1\n"
      "    ulimits: {nofile: {soft: 1024, hard: -1}, core: 0, nproc: '10:20'}");
  CHECK(spec.mem_limit->value == 64U << 20);
  CHECK(spec.cpus->value == 500'000U);
  CHECK(spec.cpu_shares->value == 512U);
  CHECK(spec.pids_limit->value == -1);
  REQUIRE(spec.ulimits.size() == 3);
  CHECK(spec.ulimits[0].soft == 1024U);
  CHECK(spec.ulimits[0].hard == UINT64_MAX);
  CHECK(spec.ulimits[1].hard == 0U);
  CHECK(spec.ulimits[2].hard == 20U);
  CHECK(specs.service("mem_limit: 50%").mem_limit->value > 0);
  CHECK(specs.service("cpus: 100%").cpus->value >= 1'000'000U);
  CHECK(specs.service("pids_limit: 0x10").pids_limit->value == 16);
}

TEST_CASE("spec: the walls") {
  Specs specs;
  const ServiceSpec spec = specs.service(
      "cap_add: [net_admin, CAP_CHOWN]\n    cap_drop: [all]\n"
      "    security_opt: ['no-new-privileges:false', seccomp:unconfined]\n"
      "    sysctls: {net.ipv4.ip_forward: 1}\n    network_mode: none\n"
      "    userns_mode: {uid: ['0:100000:65536'], gid: ['0:100000:1', '1:5:1']}\n"
      "    require: [seccomp, seccomp]");
  CHECK(spec.cap_add.at(0).value == "CAP_NET_ADMIN");
  CHECK(spec.cap_add.at(1).value == "CAP_CHOWN");
  CHECK(spec.cap_drop.at(0).value == "ALL");
  CHECK_FALSE(spec.no_new_privileges->value);
  CHECK(spec.seccomp->value.profile == SeccompProfile::kUnconfined);
  CHECK(spec.sysctls.at(0).value.second == "1");
  CHECK(spec.network_mode->value.mode == NamespaceMode::kNone);
  CHECK(spec.userns_mode->value.mode == UserNamespace::Mode::kMap);
  CHECK(spec.userns_mode->value.gid_map.at(1).outside == 5U);
  CHECK(spec.require->value == std::vector<Layer>{Layer::kSeccomp});
  CHECK(specs.service("require: all").require->value.size() == 4);
  CHECK(specs.service("security_opt: [no-new-privileges]").no_new_privileges->value);
  CHECK(specs.service("x-jaula: {seccomp: strict}").seccomp->value.profile ==
        SeccompProfile::kStrict);
}

TEST_CASE("spec: landlock is paths in their order, ports, scopes, and how much it matters") {
  Specs specs;
  const ServiceSpec spec = specs.service(
      "landlock:\n      rw: [/tmp/, //run]\n      exec: [/]\n      connect_tcp: ['443', 0x50]\n"
      "      bind_tcp:\n      scopes: [signal, signal]\n      level: prefer");
  const Landlock& landlock = spec.landlock->value;
  REQUIRE(landlock.paths.size() == 3);
  CHECK(landlock.paths[0].path == "/tmp");
  CHECK(landlock.paths[1].path == "/run");
  CHECK(landlock.paths[1].access == FileAccess::kWrite);
  CHECK(landlock.paths[1].origin.ends_with("web.yaml:5:19: services.web.landlock.rw[1]"));
  CHECK(landlock.paths[2].path == "/");
  CHECK(landlock.paths[2].access == FileAccess::kExecute);
  CHECK(*landlock.connect_tcp == std::vector<std::uint32_t>{443, 80});
  CHECK(landlock.bind_tcp->empty());
  CHECK(landlock.scopes == std::vector<LandlockScope>{LandlockScope::kSignal});
  CHECK(spec.landlock_level->value == LandlockLevel::kPrefer);
  CHECK_FALSE(specs.service("landlock: {bind_tcp: [0]}").landlock->value.connect_tcp);
  CHECK_FALSE(specs.service("landlock: {bind_tcp: [0]}").landlock_level);
}

TEST_CASE("spec: users are names or decimal ids, and nothing that only looks like one") {
  Specs specs;
  for (const char* user :
       {"0", "1000", "4294967294", "0:0", "www-data", "www-data:staff", "a.b:7", "_x"}) {
    CAPTURE(user);
    CHECK(specs.service("user: '" + std::string(user) + "'").user->value == user);
  }
  for (const char* user :
       {"",    " 0", "0 ", "0x0", "-1",    "+1", "4294967295", "4294967296", "00",   "01",
        "1e3", "1a", ":0", "0:",  "0:0:0", "-a", "a b",        "ñ",          "0:-1", "root:0x0"}) {
    CAPTURE(user);
    CHECK(specs.problems_of_keys("user: '" + std::string(user) + "'")
              .starts_with("web.yaml:4:11: services.web.user: expected NAME or UID"));
  }
}

// --- overrides

TEST_CASE("overrides: a flag replaces, appends, or gives the list") {
  Specs specs;
  LoadOptions options = with({flag("--memory", "mem_limit", Kind::kScalar, "32m"),
                              flag("-v", "volumes", Kind::kAppend, "/x:/y"),
                              flag("-v", "volumes", Kind::kAppend, "/new:/a"),
                              flag("-e", "environment", Kind::kAppend, "B=2"),
                              flag("-e", "environment", Kind::kAppend, "A=$x"),
                              flag("--tmpfs", "tmpfs", Kind::kAppend, "/t"),
                              flag("--ulimit", "ulimits", Kind::kAppend, "nofile=3:4"),
                              flag("-l", "labels", Kind::kAppend, "bare"),
                              flag("--set", "cap_drop", Kind::kYaml, "[ALL]")});
  options.overrides.push_back(
      {.flag = "CMD", .key = "command", .kind = Kind::kList, .value = {}, .values = {"a", "b c"}});
  const ServiceSpec spec = specs.service(
      "mem_limit: 64m\n    volumes: ['/old:/a:ro']\n    environment: {A: 1}\n    tmpfs: /run\n"
      "    ulimits: {nofile: 1}\n    command: x\n    labels: [k=v]",
      options);
  CHECK(spec.mem_limit->value == 32U << 20);
  CHECK(spec.mem_limit->origin.text() == "--memory");
  REQUIRE(spec.volumes.size() == 2);
  CHECK(spec.volumes[0].source == "/x");
  CHECK(spec.volumes[1].source == "/new");
  CHECK(pairs(spec) == "A=$x B=2 ");
  CHECK(spec.tmpfs.size() == 2);
  CHECK(spec.ulimits.at(0).hard == 4U);
  CHECK(spec.labels.at("bare") == "");
  CHECK(spec.cap_drop.at(0).origin.text() == "--set cap_drop");
  CHECK(spec.command->value == std::vector<std::string>{"a", "b c"});
}

TEST_CASE("overrides: key paths reach services with dots in their names, and entries") {
  Specs specs;
  const std::string text =
      "services:\n  a: {rootfs: host}\n  a.b: {rootfs: host, environment: [X=1]}\n";
  const auto set = [](const char* key, const char* value) {
    return flag("--set", key, Kind::kYaml, value);
  };
  const SpecFile file = specs.load(
      text, with({set("services.a.mem_limit", "64m"), set("services.a.b.cpus", "2"),
                  set("services.a.b.labels.com.x", "'1'"), set("services.a.b.environment.X", "2"),
                  set("services.a.ulimits.nofile.soft", "1"), set("name", "other"),
                  set("services.a.ulimits.nofile.hard", "2"),
                  set("services.a.x-jaula.seccomp", "strict")}));
  CHECK(specs.lines(file) == "");
  REQUIRE(file.services.size() == 2);
  CHECK(file.name == "other");
  CHECK(file.services[0].mem_limit);
  CHECK(file.services[0].ulimits.at(0).hard == 2U);
  CHECK(file.services[0].seccomp);
  CHECK(file.services[1].cpus);
  CHECK(file.services[1].labels.at("com.x") == "1");
  CHECK(pairs(file.services[1]) == "X=2 ");
  LoadOptions options = with({flag("--memory", "mem_limit", Kind::kScalar, "64m")});
  options.service = "a.b";
  CHECK(specs.load(text, options).services.at(1).mem_limit);
}

TEST_CASE("overrides: one that cannot be applied says so in the words of the flag") {
  Specs specs;
  const std::string one = "services: {web: {rootfs: host, volumes: ['/a:/b']}}";
  const std::string two = "services: {web: {rootfs: host}, db: {rootfs: host}}";
  const auto set = [](const char* key, const char* value) {
    return with({flag("--set", key, Kind::kYaml, value)});
  };
  CHECK(specs.problems(one, set("mem_limt", "64m")) ==
        "--set mem_limt: unknown key; did you mean `mem_limit`?");
  CHECK(specs.problems(one, set("mem_limit", "12q")) ==
        "--set mem_limit: expected a size such as 64m, got \"12q\"");
  CHECK(specs.problems(one, set("services.webb.mem_limit", "64m")) ==
        "--set services.webb.mem_limit: unknown service `webb`; did you mean `web`?");
  CHECK(specs.problems(one, set("services.web", "64m")) ==
        "--set services.web: a service, not a key of one");
  CHECK(specs.problems(one, set("volumes.0", "/x:/y")) ==
        "--set volumes.0: `volumes` is a list; give the whole list");
  CHECK(specs.problems(one, set("mem_limit", "[")) ==
        "--set mem_limit: not valid YAML: a `[` is not closed");
  CHECK(specs.problems(one, set("mem_limit", "")) ==
        "--set mem_limit: expected a size such as 64m, got nothing");
  CHECK(specs.problems(one, with({flag("-e", "environment", Kind::kAppend, "A=\xFF")})) ==
        "-e: the value is not valid UTF-8");
  CHECK(specs.problems(two, with({flag("--memory", "mem_limit", Kind::kScalar, "64m")})) ==
        "--memory: the file has several services (web, db); say which with --service");
  LoadOptions options = with({flag("--memory", "mem_limit", Kind::kScalar, "64m")});
  options.service = "dbb";
  CHECK(specs.problems(two, options) == "--service: unknown service `dbb`; did you mean `db`?");
}

TEST_CASE("overrides: flags win over a contradicting security option of the file") {
  Specs specs;
  const LoadOptions options =
      with({flag("--security-opt", "security_opt", Kind::kAppend, "seccomp=unconfined")});
  CHECK(specs.service("seccomp: strict", options).seccomp->value.profile ==
        SeccompProfile::kUnconfined);
  CHECK(specs.service("security_opt: [seccomp=strict]", options).seccomp->value.profile ==
        SeccompProfile::kUnconfined);
}

TEST_CASE("spec: a profile's path starts at the spec's directory, and its problems have its name") {
  Specs specs;
  put_file(specs / "p.json", "{\"defaultAction\": \"SCMP_ACT_ERRNO\"}");
  const ServiceSpec spec = specs.service("seccomp: p.json\n    security_opt: [seccomp=./p.json]");
  CHECK(spec.seccomp->value.profile == SeccompProfile::kFile);
  CHECK_EQ(spec.seccomp->value.file.path, specs / "p.json");
  put_file(specs / "p.json", "{\n  \"defaultAktion\": 1}");
  CHECK_EQ(specs.problems_of_keys("seccomp: ./p.json"),
           "p.json:1:1: needs `defaultAction`\n"
           "p.json:2:3: defaultAktion: unknown key; did you mean `defaultAction`?");
  CHECK_EQ(specs.problems_of_keys("seccomp: {allow: [stat64]}"),
           "web.yaml:4:23: services.web.seccomp.allow[0]: `stat64` is no system call of x86-64; "
           "without effect");
}

TEST_CASE("overrides: two flags that contradict each other are refused") {
  Specs specs;
  const SpecFile file =
      make_spec("web", with({{"--seccomp", "seccomp", Override::Kind::kScalar, "default", {}},
                             {"--security-opt",
                              "security_opt",
                              Override::Kind::kAppend,
                              "seccomp=strict",
                              {"seccomp=strict"}},
                             {"the command line", "rootfs", Override::Kind::kScalar, "host", {}}}));
  CHECK_EQ(specs.lines(file), "--seccomp: another profile is given by --security-opt");
}

TEST_CASE("overrides: a spec can be made of flags alone") {
  LoadOptions options = with({flag("TARGET", "rootfs", Kind::kScalar, "./root"),
                              flag("-e", "environment", Kind::kAppend, "A=b"),
                              flag("-u", "user", Kind::kScalar, "0:0"),
                              flag("--read-only", "read_only", Kind::kScalar, "true"),
                              flag("-v", "volumes", Kind::kAppend, "./a:/a:ro")});
  options.directory = "/base";
  const SpecFile file = make_spec("box", options);
  REQUIRE(file.ok());
  const ServiceSpec& spec = file.services.at(0);
  CHECK(file.name == "box");
  CHECK(spec.name == "box");
  CHECK(spec.rootfs->value == "/base/root");
  CHECK(spec.rootfs->origin.text() == "TARGET");
  CHECK(spec.volumes.at(0).source == "/base/a");
  CHECK(spec.read_only->value);
  CHECK(make_spec("box", {}).problems.at(0).line() ==
        "services.box: needs `rootfs: host` or a directory");
  CHECK_FALSE(make_spec("../box", options).ok());
}

// --- the resolved spec

constexpr const char* kWhole =
    "name: \"123\"\n"
    "services:\n"
    "  web:\n"
    "    rootfs: /srv/root\n"
    "    entrypoint: [/init, --]\n"
    "    command: [sh, -c, \"echo \\\"$$HOME\\\" > /x\\ty; #\", \"\", \"8080\", \"1e3\", a b]\n"
    "    environment:\n"
    "      A: \"yes\"\n"
    "      $B: $$B\n"
    "      \"null\": \"~\"\n"
    "      C: \"\\x1b[0m \\x9b \xC3\xB1 \xF0\x9F\x98\x80 \\n\"\n"
    "    working_dir: /srv\n"
    "    user: www-data:33\n"
    "    group_add: [audio, \"44\"]\n"
    "    hostname: web.example\n"
    "    dns: [\"10.0.0.1\", \"::1\"]\n"
    "    dns_search: [example.org]\n"
    "    dns_opt: [ndots:2]\n"
    "    extra_hosts: [db=10.0.0.2, v6=::1]\n"
    "    init: false\n"
    "    stop_signal: SIGRTMIN+3\n"
    "    stop_grace_period: 0s\n"
    "    time_limit: 1d2h3m4s5ms\n"
    "    volumes:\n"
    "      - type: bind\n"
    "        source: \"/a: b/$$c\"\n"
    "        target: /d\n"
    "        read_only: true\n"
    "        bind: {create_host_path: true}\n"
    "      - type: bind\n"
    "        source: /e\n"
    "        target: /f\n"
    "        bind: {recursive: disabled}\n"
    "        options: [suid, noexec, idmap]\n"
    "    tmpfs: [/run, \"/t:size=1m,mode=01777\", /u:mode=0700, "
    "\"/v:uid=1,gid=2,ro,exec,tmpcopyup\"]\n"
    "    devices: [{source: /dev/fuse, target: /dev/fuse, permissions: rwm}, {source: "
    "/dev/a:b, "
    "target: /dev/c, permissions: r}]\n"
    "    configs:\n"
    "      - source: a\n"
    "        target: /a\n"
    "    secrets:\n"
    "      - source: a.b-c\n"
    "        target: /etc/key\n"
    "        uid: 33\n"
    "        gid: 34\n"
    "        mode: 0440\n"
    "    read_only: true\n"
    "    ephemeral: false\n"
    "    mem_limit: 1537k\n"
    "    cpus: 0.333333\n"
    "    cpu_shares: 2\n"
    "    pids_limit: -1\n"
    "    shm_size: 1537k\n"
    "    oom_score_adj: -500\n"
    "    ulimits:\n"
    "      nofile: {soft: 1024, hard: -1}\n"
    "    cap_add: [CAP_NET_ADMIN]\n"
    "    cap_drop: [ALL]\n"
    "    privileged: false\n"
    "    security_opt: [no-new-privileges:false, apparmor=a b, label=user:u, label=type:t, "
    "\"label=level:s0:c1,c2\", unmask=/proc/keys, unmask=ALL]\n"
    "    mask: [/data/key, \"/a: b\"]\n"
    "    readonly_paths: [/usr]\n"
    "    seccomp: unconfined\n"
    "    sysctls:\n"
    "      net.ipv4.ip_local_port_range: 1024 65535\n"
    "    network_mode: host\n"
    "    pid: jail:db\n"
    "    ipc: none\n"
    "    uts: private\n"
    "    cgroup: host\n"
    "    namespaces: {time: {boottime: 1h, monotonic: -1m30s}}\n"
    "    nesting: 2\n"
    "    userns_mode:\n"
    "      uid: [\"0:100000:65536\"]\n"
    "      gid: [\"0:100000:1\", \"1:5:7\"]\n"
    "    require: [cgroup, landlock, userns]\n"
    "    landlock:\n"
    "      exec: [/usr, \"/a: b\"]\n"
    "      ro: [/etc]\n"
    "      rw: [/tmp]\n"
    "      connect_tcp: [443, 80]\n"
    "      bind_tcp: []\n"
    "      scopes: [signal, abstract_unix_socket]\n"
    "      level: prefer\n"
    "    personality: linux32\n"
    "    core_scheduling: true\n"
    "    labels:\n"
    "      \"22:22\": \"22:22\"\n"
    "      com.example.x: \"true\"\n"
    "  \"42\":\n"
    "    rootfs: host\n"
    "    command: []\n"
    "    require: []\n"
    "configs:\n"
    "  a: {content: \"x: $$y\"}\n"
    "secrets:\n"
    "  a.b-c: {file: /etc/key}\n"
    "  e: {environment: TOKEN}\n";

TEST_CASE("to_yaml: the whole vocabulary reads back and prints the same bytes") {
  Specs specs;
  const SpecFile file = specs.load(kWhole);
  CHECK(specs.lines(file) == "");
  CHECK(to_yaml(file) == std::string(kWhole));
}

TEST_CASE("to_yaml: what it prints once it prints again") {
  ::setenv("JT_SET", "$x: [", 1);
  Specs specs;
  for (const char* keys :
       {"init: true",
        "command: [\"a\\\"b\", \"\\\\\", '$$$$', \"\\u2028\", \"\\uFEFF\", '- x']",
        "environment: [A, JT_SET, 'B= x ', \"C=#\", 'D=$JT_SET']",
        "mem_limit: 100000001",
        "cpus: .5",
        "stop_signal: 32",
        "stop_grace_period: 90061s",
        "tmpfs: ['/a b:mode=0']",
        "userns_mode: keep-id",
        "userns_mode: host\n    network_mode: private",
        "labels: {\"\\u00e9\": x, a: , \"b\\u0085\": 'null'}",
        "ulimits: {core: 0, stack: -1}",
        "require: all\n    seccomp: default",
        "user: '0'\n    hostname: '1'",
        "seccomp: {allow: ['@basic-io', default, {name: ioctl}, {name: socket, args: [{index: 0, "
        "value: 0xffffffffffffffff, valueTwo: 3, op: SCMP_CMP_MASKED_EQ}]}], mode: log}",
        "seccomp: {deny: [read]}",
        "seccomp: {deny: []}",
        "seccomp: {mode: log}",
        "seccomp: {allow: [], mode: enforce}",
        "seccomp: /dev/../" JAULA_SOURCE_DIR "/tests/unit/profile.json"}) {
    CAPTURE(keys);
    const SpecFile file =
        specs.load("services:\n  web:\n    rootfs: host\n    " + std::string(keys) + "\n");
    CHECK(specs.lines(file) == "");
    const std::string yaml = to_yaml(file);
    const SpecFile again = specs.load(yaml);
    CHECK(specs.lines(again) == "");
    CHECK(to_yaml(again) == yaml);
  }
  ::unsetenv("JT_SET");
}

TEST_CASE("to_yaml: every example is read, and its resolved form reads back") {
  Specs specs;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(JAULA_SOURCE_DIR "/examples")) {
    if (file.path().extension() != ".yaml") continue;
    CAPTURE(file.path().string());
    const SpecFile example = load_spec(file.path().string(), {});
    CHECK(specs.lines(example) == "");
    const std::string yaml = to_yaml(example);
    CHECK(to_yaml(specs.load(yaml)) == yaml);
  }
}

// --- garbage

TEST_CASE("spec: mutated texts are read or refused, and never more than that") {
  Specs specs;
  std::mt19937 random(20'240'501);
  const auto below = [&](std::size_t end) { return random() % end; };
  using namespace std::string_view_literals;
  constexpr std::string_view kBytes =
      "ax10\n\n  \t:-?[]{},&*!|>'\"%@`#$~<=\\\0\x04\x7f\xC3\xFF\xE2"sv;
  const std::string seed = kWhole;
  std::size_t accepted = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = seed;
    for (std::size_t edits = 1 + below(6); edits > 0; --edits) {
      const std::size_t at = below(text.size());
      const std::size_t size = below(30);
      switch (below(4)) {
        case 0:
          text[at] = kBytes[below(kBytes.size())];
          break;
        case 1:
          text.insert(at, 1 + below(3), kBytes[below(kBytes.size())]);
          break;
        case 2:
          text.erase(at, size);
          break;
        default:
          text.insert(below(text.size()), text.substr(at, size));
      }
    }
    const SpecFile file = specs.load(text);
    CHECK(file.ok() == !file.services.empty());
    if (!file.ok()) continue;
    ++accepted;
    const std::string yaml = to_yaml(file);
    const SpecFile again = specs.load(yaml);
    CAPTURE(yaml);
    CHECK(specs.lines(again) == "");
    CHECK(to_yaml(again) == yaml);
  }
  CHECK(accepted > 0);
}

}  // namespace jaula::test
