#include "cli/target.h"

#include <sys/random.h>

#include <algorithm>

#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/plan/granted_files.h"
#include "runtime/plan/lower.h"

namespace jaula::cli {
namespace {

using Kind = spec::Override::Kind;

struct KeyFlag {
  const char* names;
  const char* key;
  Kind kind;
  const char* help;
};

// Options of docker and podman, and the key of the spec that each stands for.
constexpr KeyFlag kKeyFlags[] = {
    {"-e,--env", "environment", Kind::kAppend, "set a variable: NAME=VALUE"},
    {"--env-file", "env_file", Kind::kAppend, "read variables from a file"},
    {"-u,--user", "user", Kind::kScalar, "run as NAME|UID[:GROUP|GID]"},
    {"--group-add", "group_add", Kind::kAppend, "add a group: NAME or GID"},
    {"-w,--workdir", "working_dir", Kind::kScalar, "working directory in the jail"},
    {"-v,--volume", "volumes", Kind::kAppend, "mount SOURCE:TARGET[:ro]"},
    {"--device", "devices", Kind::kAppend, "give a device: SOURCE[:TARGET[:rwm]]"},
    {"--tmpfs", "tmpfs", Kind::kAppend, "mount a tmpfs: TARGET[:size=64m,mode=1777]"},
    {"--network", "network_mode", Kind::kScalar, "private, none, host, jail:NAME or ns:PATH"},
    {"--pid", "pid", Kind::kScalar, "processes it sees: private, host, jail:NAME or ns:PATH"},
    {"--ipc", "ipc", Kind::kScalar, "private, none, host, jail:NAME or ns:PATH"},
    {"--uts", "uts", Kind::kScalar, "host name: private, host, jail:NAME or ns:PATH"},
    {"--cgroupns", "cgroup", Kind::kScalar, "cgroups it sees: private or host"},
    {"-h,--hostname", "hostname", Kind::kScalar, "host name in the jail"},
    {"--dns", "dns", Kind::kAppend, "add a name server: ADDRESS"},
    {"--dns-search", "dns_search", Kind::kAppend, "add a domain that names are looked up in"},
    {"--dns-option", "dns_opt", Kind::kAppend, "set an option of resolv.conf"},
    {"--add-host", "extra_hosts", Kind::kAppend, "add a line to /etc/hosts: HOST:ADDRESS"},
    {"--entrypoint", "entrypoint", Kind::kList, "program to run the command with"},
    {"--cap-add", "cap_add", Kind::kAppend, "add a capability"},
    {"--cap-drop", "cap_drop", Kind::kAppend, "drop a capability, or ALL"},
    {"--security-opt", "security_opt", Kind::kAppend,
     "no-new-privileges[:BOOL], seccomp=PROFILE, apparmor=PROFILE, label=…, mask=PATH, "
     "unmask=PATH"},
    {"--seccomp", "seccomp", Kind::kScalar, "default, strict, unconfined or a JSON profile"},
    {"--ulimit", "ulimits", Kind::kAppend, "set a resource limit: NAME=SOFT[:HARD]"},
    {"--sysctl", "sysctls", Kind::kAppend, "set a kernel setting of the jail: NAME=VALUE"},
    {"-m,--memory", "mem_limit", Kind::kScalar, "memory limit, such as 64m"},
    {"--cpus", "cpus", Kind::kScalar, "processor limit, such as 0.5"},
    {"-c,--cpu-shares", "cpu_shares", Kind::kScalar, "processor weight, 2 to 262144"},
    {"--pids-limit", "pids_limit", Kind::kScalar, "process limit, -1 for none"},
    {"--shm-size", "shm_size", Kind::kScalar, "size of /dev/shm, such as 64m"},
    {"--oom-score-adj", "oom_score_adj", Kind::kScalar, "who is killed first: -1000 to 1000"},
    {"--stop-signal", "stop_signal", Kind::kScalar, "signal that `stop` begins with"},
    {"--stop-timeout", "stop_grace_period", Kind::kScalar, "time until `stop` kills"},
    {"--userns", "userns_mode", Kind::kScalar, "auto, host or keep-id"},
    {"--nesting", "nesting", Kind::kScalar, "levels of jails that can be started inside"},
    {"-l,--label", "labels", Kind::kAppend, "set a label: NAME=VALUE"},
    {"--timeout", "time_limit", Kind::kScalar, "end the jail after this time, with exit code 124"},
};

struct SwitchFlag {
  const char* names;
  const char* key;
  const char* help;
};

constexpr SwitchFlag kSwitchFlags[] = {
    {"--init", "init", "a reaper is PID 1 of the jail (the default); --init=false: the payload"},
    {"--privileged", "privileged", "every capability, no filter, no masks"},
    {"--read-only", "read_only", "make the root read-only"},
    {"--ephemeral", "ephemeral", "throw away what is written to the root"},
};

bool is_spec_file(const std::string& target) {
  return target == "-" || target.ends_with(".yaml") || target.ends_with(".yml");
}

std::string random_name() {
  unsigned value = 0;
  [[maybe_unused]] const ssize_t got = ::getrandom(&value, sizeof value, 0);
  char text[24];
  std::snprintf(text, sizeof text, "jail-%08x", value);
  return text;
}

}  // namespace

void TargetOptions::add_to(CommandLine& line) {
  for (const KeyFlag& flag : kKeyFlags) {
    line.option(
        flag.names,
        [this, &flag](const std::string& value) {
          const std::string_view names = flag.names;
          overrides_.push_back({.flag = std::string(names.substr(names.rfind(',') + 1)),
                                .key = flag.key,
                                .kind = flag.kind,
                                .value = value,
                                .values = {value}});
        },
        flag.help);
  }
  for (const SwitchFlag& flag : kSwitchFlags)
    line.flag(
        flag.names,
        [this, &flag](bool on) {
          overrides_.push_back({.flag = flag.names,
                                .key = flag.key,
                                .kind = Kind::kScalar,
                                .value = on ? "true" : "false",
                                .values = {}});
        },
        flag.help);
  line.option(
      "--set",
      [this](const std::string& text) {
        // Without '=' the value is empty, and the reader of the key says what it expects.
        const std::size_t equals = text.find('=');
        overrides_.push_back({.flag = "--set",
                              .key = text.substr(0, equals),
                              .kind = Kind::kYaml,
                              .value = equals == std::string::npos ? "" : text.substr(equals + 1),
                              .values = {}});
      },
      "set any key of the spec: KEY=VALUE, the value in YAML");
  line.option("--service", service_, "the service of the spec to run");
}

void TargetOptions::add_name_to(CommandLine& line) {
  line.option(
      "--name", [this](const std::string& name) { name_ = name; }, "name of the jail");
}

spec::LoadOptions TargetOptions::load_options() const {
  return {.overrides = overrides_, .service = service_, .directory = {}};
}

Result<spec::ServiceSpec> TargetOptions::choose(spec::SpecFile file) const {
  std::string names;
  for (spec::ServiceSpec& service : file.services) {
    if (service.name == service_ || (service_.empty() && file.services.size() == 1))
      return std::move(service);
    names += (names.empty() ? "" : ", ") + service.name;
  }
  if (service_.empty())
    return Error(0, "the spec has several services: ", names).hint("choose one with --service");
  return Error(0, "the spec has no service ", service_).hint("it has ", names);
}

Result<spec::JailConfig> TargetOptions::resolve(const std::vector<std::string>& words) const {
  if (name_ && !spec::is_name(*name_))
    return Error(0, "--name: \"", escaped(name_->substr(0, 80)), "\" cannot be the name of a jail")
        .hint("a name is [A-Za-z0-9][A-Za-z0-9_.-]{0,63}");
  spec::LoadOptions options = load_options();
  const std::string& target = words[0];
  // TARGET -- COMMAND is how people make sure; the `--` is not the command.
  const auto command = words.begin() + (words.size() > 1 && words[1] == "--" ? 2 : 1);
  if (command != words.end())
    options.overrides.push_back({.flag = "the command line",
                                 .key = "command",
                                 .kind = Kind::kList,
                                 .value = {},
                                 .values = {command, words.end()}});
  const bool from_file = is_spec_file(target);
  if (!from_file && !service_.empty())
    return Error(0, "--service chooses one of the services of a spec file, and ", escaped(target),
                 " is none");
  if (!from_file)
    options.overrides.insert(options.overrides.begin(), {.flag = "the command line",
                                                         .key = "rootfs",
                                                         .kind = Kind::kScalar,
                                                         .value = target,
                                                         .values = {}});
  std::string name = name_.value_or(from_file ? "" : random_name());
  spec::SpecFile file =
      from_file ? spec::load_spec(target, options) : spec::make_spec(name, options);
  if (!report(file.problems)) {
    const auto errors = std::ranges::count(file.problems, false, &spec::Problem::warning);
    return Error(0, target, ": ", errors, " problem", errors == 1 ? "" : "s",
                 "; nothing was started");
  }
  const spec::ServiceSpec service = TRY(choose(std::move(file)));
  if (name.empty()) name = service.name;
  const bool directory = service.rootfs && service.rootfs->value != "host";
  const std::string root = directory ? service.rootfs->value : "/";
  Result<plan::UserDatabase> users = plan::load_users(root);
  if (!users)
    return users.error().in(service.rootfs ? service.rootfs->origin.text() : target,
                            ": root file system ", root, ": ");
  plan::Lowered lowered = plan::to_jail_config(service, name, *users);
  for (const Error& problem : plan::load_files(lowered.config)) lowered.problems.push_back(problem);
  if (lowered.problems.empty()) return std::move(lowered.config);
  for (std::size_t i = 0; i + 1 < lowered.problems.size(); ++i) log::error(lowered.problems[i]);
  return lowered.problems.back();
}

bool report(const std::vector<spec::Problem>& problems) {
  bool fine = true;
  for (const spec::Problem& problem : problems) {
    const std::string line = problem.line();
    if (problem.warning) {
      log::line(log::Level::kWarning, line);
    } else {
      log::line(log::Level::kError, line);
      fine = false;
    }
  }
  return fine;
}

}  // namespace jaula::cli
