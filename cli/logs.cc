#include <unistd.h>

#include "cli/command.h"
#include "cli/time.h"
#include "runtime/base/text.h"
#include "runtime/log_store.h"
#include "runtime/stop.h"

namespace jaula::cli {
namespace {

Result<void> print_log(const StateStore& store, const std::string& name, LogQuery query) {
  const Seen seen = TRY(look_at(store, name));
  if (seen.unreadable) return *seen.unreadable;
  if (!seen.state) return Error(0, "the jail ", name, " is being made, and has said nothing yet");
  if (!seen.state->detached)
    return Error(0, "the jail ", name,
                 " has no log: it runs in the foreground, and its output is "
                 "its caller's");
  std::optional<Fd> monitor;
  if (seen.monitored) monitor = TRY(open_process(seen.state->monitor));
  query.end_pidfd = monitor ? monitor->get() : -1;
  query.follow = query.follow && monitor.has_value();
  return read_log(seen.directory.log_path(), query, 1, 2);
}

}  // namespace

int logs_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("logs", "[OPTIONS] NAME",
                   "Print what a detached jail wrote: its standard output on ours, its standard "
                   "error on ours.",
                   "jaula logs -f --since 10m web");
  LogQuery query;
  std::string tail, since, until;
  line.flag("-f,--follow", query.follow, "go on until the jail ends");
  line.option("-n,--tail", tail, "only the last lines: a number, or all");
  line.option("--since", since, "only from this time: RFC 3339, or 10m");
  line.option("--until", until, "only to this time");
  line.flag("-t,--timestamps", query.timestamps, "with the time of each line");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (line.rest().size() != 1) return line.misused("it takes the name of one jail");
  if (!tail.empty() && tail != "all") {
    query.tail = parse_decimal(tail);
    if (!query.tail) return line.misused("--tail takes a number, got " + tail);
  }
  const std::int64_t now = now_nanoseconds();
  for (auto [text, time] : {std::pair{&since, &query.since}, std::pair{&until, &query.until}}) {
    if (text->empty()) continue;
    *time = parse_time(*text, now);
    if (!*time) return line.misused("a time is 2026-11-23T03:06:27Z or 10m, got " + *text);
  }
  query.escape_out = ::isatty(1) != 0;
  query.escape_err = ::isatty(2) != 0;
  const Result<void> printed = print_log(store_of(globals), line.rest()[0], query);
  return printed ? 0 : failed(printed.error());
}

}  // namespace jaula::cli
