#include "cli/command.h"
#include "cli/target.h"
#include "runtime/base/log.h"
#include "runtime/plan/lower.h"
#include "runtime/plan/users.h"

namespace jaula::cli {
namespace {

// What no host would run. A root that is not on this one cannot be asked for its users.
bool check_service(spec::ServiceSpec service) {
  const bool directory = service.rootfs && service.rootfs->value != "host";
  plan::UserDatabase users;
  if (Result<plan::UserDatabase> known = plan::load_users(directory ? service.rootfs->value : "/"))
    users = std::move(*known);
  else
    service.user.reset();
  // A command may be named after the target.
  if (!service.command && !service.entrypoint) service.command = {{"command"}, service.origin};
  const plan::Lowered lowered = plan::to_jail_config(service, service.name, users);
  for (const Error& problem : lowered.problems) log::error(problem);
  return lowered.problems.empty();
}

}  // namespace

int check_main(const Globals&, const Arguments& arguments) {
  CommandLine line("check", "[OPTIONS] SPEC...",
                   "Check spec files (- for standard input) and print every problem. Exits with 0 "
                   "or 1.",
                   "jaula check web.yaml");
  bool strict = false;
  line.flag("--strict", strict, "warnings are problems too");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().empty()) return line.misused("it takes a spec file");
  bool fine = true;
  for (const std::string& path : line.rest()) {
    const spec::SpecFile file = spec::load_spec(path, {});
    fine = report(file.problems) && fine && !(strict && !file.problems.empty());
    for (const spec::ServiceSpec& service : file.services) fine = check_service(service) && fine;
  }
  return fine ? 0 : 1;
}

}  // namespace jaula::cli
