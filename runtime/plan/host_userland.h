// What `rootfs: host` takes of the machine: its programs and libraries, and of /etc only what
// programs need to start: accounts, the loader's cache, certificates, names; never a secret.
// Parent side; read once before the clone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jaula::plan {

struct UserlandEntry {
  enum class Kind : std::uint8_t {
    kTree,  // a directory, bound read-only
    kLink,  // text is where it points
    kCopy,  // text is its content
  };
  Kind kind;
  std::string path;  // absolute, on the host and in the jail
  std::string text;
};

std::vector<UserlandEntry> probe_userland();

}  // namespace jaula::plan
