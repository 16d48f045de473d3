// Directories as lists. Parent side. readdir(3)
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

}  // namespace jaula
