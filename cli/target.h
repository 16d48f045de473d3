// TARGET of `run` and `plan`: a spec file, a root directory or the word host, with the options
// that stand for keys of the spec. All of it becomes a JailConfig by the same readers.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "runtime/spec/jail_config.h"
#include "runtime/spec/service_spec.h"

namespace jaula::cli {

class TargetOptions {
 public:
  void add_to(CommandLine& line);       // all but --name
  void add_name_to(CommandLine& line);  // for what makes a jail of it
  // `words` are TARGET and what follows it. Prints what is wrong; the Error is the last of it.
  [[nodiscard]] Result<spec::JailConfig> resolve(const std::vector<std::string>& words) const;
  [[nodiscard]] spec::LoadOptions load_options() const;

 private:
  [[nodiscard]] Result<spec::ServiceSpec> choose(spec::SpecFile file) const;

  std::vector<spec::Override> overrides_;
  std::string service_;
  std::optional<std::string> name_;
};

// Prints problems, one a line. True when none of them is an error.
bool report(const std::vector<spec::Problem>& problems);

}  // namespace jaula::cli
