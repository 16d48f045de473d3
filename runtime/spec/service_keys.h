// The keys of a service that are read now, in eight groups. A key is one row of a group's table.
#pragma once

#include <span>
#include <string_view>

#include "runtime/spec/service_spec.h"
#include "runtime/spec/value.h"

namespace jaula::spec {

struct KeyRow {
  std::string_view name;
  void (*read)(const Value& value, ServiceSpec& spec);
};

// Rows are read in their order, whatever order the file has.
std::span<const KeyRow> file_keys();
std::span<const KeyRow> volume_keys();
std::span<const KeyRow> object_keys();
std::span<const KeyRow> process_keys();
std::span<const KeyRow> name_keys();
std::span<const KeyRow> resource_keys();
std::span<const KeyRow> isolation_keys();
std::span<const KeyRow> namespace_keys();

void read_security_opt(const Value& value, ServiceSpec& spec);
void read_mask(const Value& value, ServiceSpec& spec);
void read_readonly_paths(const Value& value, ServiceSpec& spec);
void read_devices(const Value& value, ServiceSpec& spec);
// `configs` or `secrets` of the file.
void read_file_objects(const Value& value, std::vector<FileObject>& objects);
void read_landlock(const Value& value, ServiceSpec& spec);

// An absolute path of the host.
std::optional<std::string> host_path(const Value& value, std::string_view path);
// An absolute path inside the jail, normalised, without `..`.
std::optional<std::string> jail_path(const Value& value, std::string_view path);

}  // namespace jaula::spec
