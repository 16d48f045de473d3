#include "runtime/jail_state.h"

#include "runtime/spec/json_reader.h"
#include "runtime/spec/json_writer.h"
#include "runtime/spec/oci_config.h"

namespace jaula {
namespace {

using spec::JsonReader;
using spec::JsonWriter;
using spec::Word;

// A state file outlives the program that wrote it when jaula is upgraded under a running jail: what
// a newer one adds is optional to read (`present`), and an older one leaves such a jail alone.
constexpr int kFormat = 1;

constexpr Word<Status> kStatuses[] = {{Status::kRunning, "running"}, {Status::kExited, "exited"}};
constexpr Word<EndReason> kReasons[] = {
    {EndReason::kExited, "exited"},   {EndReason::kSignal, "signal"},
    {EndReason::kOom, "oom"},         {EndReason::kTimeLimit, "time-limit"},
    {EndReason::kStopped, "stopped"}, {EndReason::kMonitorLost, "monitor-lost"}};

void walk_process_id(auto& json, std::string_view key, auto& id) {
  json.object(key, [&] {
    json.member("pid", id.pid);
    json.member("startTime", id.start_time);
  });
}

void walk_exit(auto& json, auto& exit) {
  json.member("code", exit.code);
  json.member("signal", exit.signal);
  json.member("reason", exit.reason, kReasons);
  json.member("detail", exit.detail);
  json.member("at", exit.at);
}

void walk_state(auto& json, auto& state) {
  json.member("name", state.name);
  json.member("status", state.status, kStatuses);
  json.member("bootId", state.boot_id);
  walk_process_id(json, "monitor", state.monitor);
  walk_process_id(json, "init", state.init);
  json.member("created", state.created);
  json.member("cgroup", state.cgroup);
  json.member("idBase", state.id_base);
  json.member("detached", state.detached);
  json.member("removeAtExit", state.remove_at_exit);
  json.member("degraded", state.degraded);
  if (json.present("exit", state.exit)) json.object("exit", [&] { walk_exit(json, *state.exit); });
  json.object("config", [&] { spec::walk_config(json, state.config); });
}

}  // namespace

std::string to_json(const JailState& state) {
  JsonWriter json;
  json.member("format", kFormat);
  walk_state(json, state);
  return std::move(json).finish();
}

Result<JailState> state_from_json(std::string_view text) {
  JsonReader json = TRY(JsonReader::parse(text));
  int format = 0;
  json.member("format", format);
  if (format > kFormat)
    return Error(0, "format: ", format, ", written by a newer jaula; this one reads ", kFormat);
  JailState state;
  walk_state(json, state);
  TRY(json.finish());
  return state;
}

std::string to_json(const Exit& exit) {
  JsonWriter json;
  walk_exit(json, exit);
  return std::move(json).finish();
}

Result<Exit> exit_from_json(std::string_view text) {
  JsonReader json = TRY(JsonReader::parse(text));
  Exit exit;
  walk_exit(json, exit);
  TRY(json.finish());
  return exit;
}

}  // namespace jaula
