#include "runtime/plan/doctor.h"

#include "cli/command.h"
#include "runtime/base/sys.h"

namespace jaula::cli {

int doctor_main(const Globals&, const Arguments& arguments) {
  CommandLine line("doctor", "[OPTIONS]",
                   "Say what this host can and cannot do for jails, and what to do about it. Exits "
                   "with 0 when jails can run.",
                   "jaula doctor --format json");
  std::string format = "text";
  line.choice("--format", format, {"text", "json"}, "text or json");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (!line.rest().empty()) return line.misused("it takes no arguments");
  const std::vector<plan::Finding> findings = plan::diagnose(plan::probe_for_doctor());
  const std::string text = format == "json" ? plan::to_json(findings) : plan::to_text(findings);
  const Result<void> written = sys::write_all(1, text, "standard output");
  if (!written) return failed(written.error());
  return plan::is_usable(findings) ? 0 : 1;
}

}  // namespace jaula::cli
