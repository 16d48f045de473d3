// Directories as lists, and their removal with all that is in them. Parent side. readdir(3),
// unlink(2), openat2(2)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace jaula {

struct DirectoryEntry {
  std::string name;
  unsigned char type;  // DT_*; DT_UNKNOWN on file systems that do not say
};
// Without "." and "..", in no order. `path` is for messages.
Result<std::vector<DirectoryEntry>> list_directory(int directory, std::string_view path);

// Deletes what is in an open directory. Links are not followed, and nothing is deleted through a
// mount that was left in it: EXDEV. An entry that is gone already is not missed.
Result<void> remove_entries(int directory, std::string_view path);

}  // namespace jaula
