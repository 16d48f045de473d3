#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/table.h"
#include "cli/time.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/stop.h"

namespace jaula::cli {
namespace {

struct Row {
  std::string name;
  std::string status;  // creating, running, exited, unreadable
  JailState state;
};

struct Filter {
  std::string key, value;
};

std::string command_of(const JailState& state) {
  std::string text;
  for (const std::string& argument : state.config.process.args)
    text += (text.empty() ? "" : " ") + argument;
  return text.size() > 40 ? text.substr(0, 37) + "..." : text;
}

bool matches(const Row& row, const std::vector<Filter>& filters) {
  for (const Filter& filter : filters) {
    if (filter.key == "name" && row.name.find(filter.value) == std::string::npos) return false;
    if (filter.key == "status" && row.status != filter.value) return false;
    if (filter.key == "label") {
      const std::size_t equals = filter.value.find('=');
      const auto label = row.state.config.labels.find(filter.value.substr(0, equals));
      if (label == row.state.config.labels.end()) return false;
      if (equals != std::string::npos && label->second != filter.value.substr(equals + 1))
        return false;
    }
  }
  return true;
}

Result<std::vector<Row>> collect(const StateStore& store, bool all,
                                 const std::vector<Filter>& filters) {
  sweep(store);
  std::vector<Row> rows;
  for (const std::string& name : TRY(store.names())) {
    Result<Seen> seen = look_at(store, name);
    if (!seen) continue;  // it went while we looked
    Row row{.name = name,
            .status = seen->running      ? "running"
                      : seen->unreadable ? "unreadable"
                      : seen->state      ? "exited"
                                         : "creating",
            .state = seen->state ? std::move(*seen->state) : JailState{}};
    if ((all || row.status != "exited") && matches(row, filters)) rows.push_back(std::move(row));
  }
  return rows;
}

nlohmann::ordered_json to_json(const Row& row) {
  nlohmann::ordered_json json;
  json["name"] = row.name;
  json["status"] = row.status;
  json["pid"] = row.status == "running" ? row.state.init.pid : 0;
  json["created"] = rfc3339(row.state.created);
  json["command"] = row.state.config.process.args;
  json["exitCode"] = row.state.exit ? nlohmann::ordered_json(row.state.exit->code) : nullptr;
  json["detail"] = row.state.exit ? row.state.exit->detail : "";
  json["detached"] = row.state.detached;
  json["cgroup"] = row.state.cgroup;
  json["degraded"] = row.state.degraded;
  json["labels"] = row.state.config.labels;
  return json;
}

// Bytes of an argument that are no UTF-8 show as U+FFFD: JSON has no other way for them.
std::string dump(const nlohmann::ordered_json& json, int indent) {
  const bool ascii = ::isatty(1) == 1;  // nothing of a name's or a label's drives a terminal
  return json.dump(indent, ' ', ascii, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string to_text(const std::vector<Row>& rows) {
  const std::int64_t now = now_nanoseconds();
  std::vector<std::vector<std::string>> table = {{"NAME", "STATUS", "PID", "CREATED", "COMMAND"}};
  for (const Row& row : rows) {
    std::string status = row.status;
    if (row.state.exit) {
      status += " (" + std::to_string(row.state.exit->code) + ")";
      if (!row.state.exit->detail.empty()) status += " " + row.state.exit->detail;
    }
    const bool running = row.status == "running";
    table.push_back({row.name, status, running ? std::to_string(row.state.init.pid) : "-",
                     row.state.created == 0 ? "-" : ago(row.state.created, now),
                     command_of(row.state)});
  }
  return to_table(table);
}

std::string format_rows(const std::vector<Row>& rows, const std::string& format, bool quiet) {
  std::string text;
  if (quiet) {
    for (const Row& row : rows) text += row.name + "\n";
  } else if (format == "json") {
    auto list = nlohmann::ordered_json::array();
    for (const Row& row : rows) list.push_back(to_json(row));
    text = dump(list, 2);
  } else if (format == "ndjson") {
    for (const Row& row : rows) text += dump(to_json(row), -1);
  } else {
    text = to_text(rows);
  }
  return text;
}

}  // namespace

int ps_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("ps", "[OPTIONS]", "List jails: those that run, or with -a all.",
                   "jaula ps -a --format json");
  bool all = false, quiet = false;
  std::string format = "table";
  std::vector<std::string> texts;
  line.flag("-a,--all", all, "those that have ended too");
  line.flag("-q,--quiet", quiet, "names alone");
  line.choice("--format", format, {"table", "json", "ndjson"}, "table, json or ndjson");
  line.option("-f,--filter", texts, "name=TEXT, status=STATUS or label=NAME[=VALUE]");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (!line.rest().empty()) return line.misused("it takes no arguments");
  std::vector<Filter> filters;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    if (equals == std::string::npos || (key != "name" && key != "status" && key != "label"))
      return line.misused("--filter takes name=, status= or label=, got " + text);
    const std::string value = text.substr(equals + 1);
    if (key == "status" && value != "creating" && value != "running" && value != "exited" &&
        value != "unreadable")
      return line.misused("a status is creating, running, exited or unreadable, got " + value);
    filters.push_back({key, value});
    all = all || key == "status";
  }
  const Result<std::vector<Row>> rows = collect(store_of(globals), all, filters);
  if (!rows) return failed(rows.error());
  const Result<void> written =
      sys::write_all(1, format_rows(*rows, format, quiet), "standard output");
  return written ? 0 : failed(written.error());
}

}  // namespace jaula::cli
