// A JailConfig as JSON in the shape of the OCI runtime specification's config.json. What is OCI's
// stands under its OCI name; what is ours, and the spec lines for messages, under the one member
// "jaula". Parent side. github.com/opencontainers/runtime-spec config.md, config-linux.md
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/spec/jail_config.h"

namespace jaula::spec {

class JsonReader;
class JsonWriter;

std::string to_json(const JailConfig& config);
// The other way round, strictly: to_json's members, all of them and no others.
Result<JailConfig> config_from_json(std::string_view text);

// The members of a config, for a text that holds one: the state of a jail.
void walk_config(JsonWriter& json, const JailConfig& config);
void walk_config(JsonReader& json, JailConfig& config);

}  // namespace jaula::spec
