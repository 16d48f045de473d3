#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/denials.h"
#include "cli/table.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/stop.h"

namespace jaula::cli {
namespace {

using Json = nlohmann::ordered_json;

Result<Json> describe(const StateStore& store, const std::string& name) {
  const Seen seen = TRY(look_at(store, name));
  if (seen.unreadable) return *seen.unreadable;
  if (!seen.state)
    return Error(0, "the jail ", name, " is being made")
        .hint("if it stays so, `jaula rm -f ", name, "` clears it");
  Json json = Json::parse(to_json(*seen.state));
  json["status"] = seen.running ? "running" : "exited";
  json["created"] = rfc3339(seen.state->created);
  json["logPath"] = seen.state->detached ? seen.directory.log_path() : "";
  json["denials"] = Json::parse(to_json(read_denials(seen.directory.fd())));
  return json;
}

// dotted.path value, one a line.
void flatten(const Json& json, const std::string& path,
             std::vector<std::vector<std::string>>& out) {
  if (json.is_structured() && !json.empty()) {
    for (const auto& [key, value] : json.items())
      flatten(value, path.empty() ? key : std::string(path).append(".").append(key), out);
  } else {
    out.push_back({path, json.is_string() ? json.get<std::string>() : json.dump()});
  }
}

}  // namespace

int inspect_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("inspect", "[OPTIONS] NAME...",
                   "Print everything known of jails: state, processes, cgroup, configuration.",
                   "jaula inspect web --format table");
  std::string format = "json";
  line.choice("--format", format, {"json", "ndjson", "table"}, "json, ndjson or table");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().empty()) return line.misused("it takes the name of a jail");
  const StateStore store = store_of(globals);
  sweep(store);
  const bool ascii = ::isatty(1) == 1;  // nothing of a name's or a label's drives a terminal
  Json list = Json::array();
  std::string text;
  const auto add = [&](const std::string& name) -> Result<void> {
    const Json json = TRY(describe(store, name));
    if (format == "ndjson") text += json.dump(-1, ' ', ascii) + "\n";
    std::vector<std::vector<std::string>> rows;
    if (format == "table") flatten(json, "", rows);
    text += to_table(rows);
    list.push_back(json);
    return {};
  };
  const int code = for_each_name(line.rest(), add, false);
  if (format == "json") text = list.dump(2, ' ', ascii) + "\n";
  const Result<void> written = sys::write_all(1, text, "standard output");
  return written ? code : failed(written.error());
}

}  // namespace jaula::cli
