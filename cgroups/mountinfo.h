// Which cgroup file systems are mounted, and where a process is in them. Pure. proc(5)
// (/proc/PID/mountinfo), cgroups(7) (/proc/PID/cgroup)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jaula::cgroups {

struct Mounts {
  struct Legacy {
    std::vector<std::string> controllers;  // of one v1 hierarchy: {"cpu", "cpuacct"}
    std::string directory;
  };
  std::string unified;  // where cgroup2 is mounted; empty: nowhere
  std::vector<Legacy> legacy;
};

Mounts parse_mountinfo(std::string_view text);

struct Membership {
  std::string path;                 // in cgroup v2, "/user.slice"; empty: the kernel has none
  std::vector<std::string> legacy;  // what v1 hierarchies are bound to: "cpu,cpuacct"
};

Membership parse_own_cgroup(std::string_view text);

}  // namespace jaula::cgroups
