#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/denials.h"
#include "cli/time.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/denial_text.h"
#include "runtime/exit_file.h"
#include "runtime/stop.h"

namespace jaula::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Event {
  std::int64_t at = 0;
  std::string jail = {}, type = {};
  Json more = Json::object();  // in ndjson and json, beside time, jail and type
  std::string text = {};       // in a table
};

struct Query {
  bool follow = false;
  std::optional<std::int64_t> since, until;
  std::string format = "ndjson";
};

// A jail that is looked at, and what has been told of it.
struct Watched {
  std::string name;
  Seen seen;
  std::optional<Fd> monitor;  // lives
  bool started = false, ended = false;
  std::map<int, std::uint64_t> counts = {};
};

Event denial_event(const std::string& jail, const Denial& denial) {
  return {.at = denial.last,
          .jail = jail,
          .type = "denial",
          .more = Json::parse(to_json(denial)),
          .text = call_text(denial) + " EPERM, " + std::to_string(denial.count) +
                  (denial.count == 1 ? " time, by " : " times, last by ") +
                  escaped(denial.process) + "[" + std::to_string(denial.pid) + "]"};
}

// What has happened since the last time.
std::vector<Event> news_of(Watched& jail) {
  std::vector<Event> events;
  const JailState& state = *jail.seen.state;
  if (!jail.started) {
    const int pid = state.init.pid;
    events.push_back({.at = state.created,
                      .jail = jail.name,
                      .type = "start",
                      .more = {{"pid", pid}},
                      .text = "process " + std::to_string(pid)});
    jail.started = true;
  }
  for (const Denial& denial : read_denials(jail.seen.directory.fd()).calls) {
    std::uint64_t& told = jail.counts[denial.number];
    if (told != denial.count) events.push_back(denial_event(jail.name, denial));
    told = denial.count;
  }
  const std::optional<Exit> exit =
      jail.ended ? std::nullopt : read_exit(jail.seen.directory.exit_fd());
  if (exit) {
    Json more = Json::parse(jaula::to_json(*exit));
    more.erase("at");
    events.push_back({.at = exit->at,
                      .jail = jail.name,
                      .type = "exit",
                      .more = std::move(more),
                      .text = "code " + std::to_string(exit->code) +
                              (exit->detail.empty() ? "" : ", " + escaped(exit->detail))});
    jail.ended = true;
  }
  return events;
}

Json to_json(const Event& event) {
  Json json = {{"time", rfc3339(event.at)}, {"jail", event.jail}, {"type", event.type}};
  json.update(event.more);
  return json;
}

Result<void> print(std::vector<Event> events, const Query& query, Json* list) {
  std::erase_if(events, [&](const Event& event) {
    return (query.since && event.at < *query.since) || (query.until && event.at > *query.until);
  });
  std::ranges::stable_sort(events, {}, &Event::at);
  std::string text;
  for (const Event& event : events) {
    if (query.format == "json") list->push_back(to_json(event));
    if (query.format == "ndjson") text += to_json(event).dump(-1, ' ', ::isatty(1) == 1) + "\n";
    if (query.format == "table")
      text += rfc3339(event.at) + " " + event.jail + " " + event.type + " " + event.text + "\n";
  }
  return sys::write_all(1, text, "standard output");
}

Result<std::vector<Watched>> look(const StateStore& store, Arguments names) {
  const bool all = names.empty();
  if (all) names = TRY(store.names());
  std::vector<Watched> jails;
  for (const std::string& name : names) {
    Result<Seen> seen = look_at(store, name);
    if (all && (!seen || !seen->state)) continue;
    if (!seen) return seen.error();
    if (seen->unreadable) return *seen->unreadable;
    if (!seen->state) return Error(0, "the jail ", name, " is being made");
    Watched jail{.name = name, .seen = std::move(*seen), .monitor = std::nullopt};
    if (jail.seen.monitored) jail.monitor = TRY(open_process(jail.seen.state->monitor));
    jails.push_back(std::move(jail));
  }
  return jails;
}

// Until the next look: counts grow in memory, which nobody can be woken by.
void wait_for_news(std::vector<Watched>& jails) {
  constexpr int kPeriod = 250;  // ms
  std::vector<pollfd> polled;
  polled.reserve(jails.size());
  for (const Watched& jail : jails)
    polled.push_back({jail.monitor ? jail.monitor->get() : -1, POLLIN, 0});
  if (::poll(polled.data(), polled.size(), kPeriod) <= 0) return;
  for (std::size_t i = 0; i < jails.size(); ++i)
    if (polled[i].revents != 0) jails[i].monitor.reset();
}

Result<void> print_events(const StateStore& store, const Arguments& names, const Query& query) {
  std::vector<Watched> jails = TRY(look(store, names));
  Json list = Json::array();
  for (;;) {
    // Asked for before the news are read: what happened until a monitor's end is among them.
    const bool last = !query.follow || std::ranges::none_of(jails, [](const Watched& jail) {
      return !!jail.monitor;
    }) || (query.until && now_nanoseconds() > *query.until);
    std::vector<Event> events;
    for (Watched& jail : jails) {
      std::vector<Event> news = news_of(jail);
      std::ranges::move(news, std::back_inserter(events));
    }
    TRY(print(std::move(events), query, &list));
    if (last) break;
    wait_for_news(jails);
  }
  if (query.format != "json") return {};
  return sys::write_all(1, list.dump(2, ' ', ::isatty(1) == 1) + "\n", "standard output");
}

}  // namespace

int events_main(const Globals& globals, const Arguments& arguments) {
  CommandLine line("events", "[OPTIONS] [NAME...]",
                   "Print what happened to jails, all of them without a name: when they started, "
                   "which system calls were denied, how they ended.",
                   "jaula events -f --format table web");
  Query query;
  std::string since, until;
  line.flag("-f,--follow", query.follow, "go on until the jails end");
  line.option("--since", since, "only from this time: RFC 3339, or 10m");
  line.option("--until", until, "only to this time");
  line.choice("--format", query.format, {"ndjson", "json", "table"}, "ndjson, json or table");
  if (const auto code = line.parse(arguments, true)) return *code;
  if (query.follow && query.format == "json")
    return line.misused("an array has an end: use --format ndjson with -f");
  const std::int64_t now = now_nanoseconds();
  for (auto [text, time] : {std::pair{&since, &query.since}, std::pair{&until, &query.until}}) {
    if (text->empty()) continue;
    *time = parse_time(*text, now);
    if (!*time) return line.misused("a time is 2026-11-23T03:06:27Z or 10m, got " + *text);
  }
  const StateStore store = store_of(globals);
  sweep(store);
  const Result<void> printed = print_events(store, line.rest(), query);
  return printed ? 0 : failed(printed.error());
}

}  // namespace jaula::cli
