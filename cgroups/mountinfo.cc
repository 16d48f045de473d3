#include "cgroups/mountinfo.h"

#include "runtime/base/text.h"

namespace jaula::cgroups {
namespace {

// Blanks, newlines and backslashes are written as \040 and the like. proc(5)
std::string unescaped(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size() && digit(text[at + 1]) && digit(text[at + 2]) &&
        digit(text[at + 3])) {
      out += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                               (text[at + 3] - '0'));
      at += 3;
    } else {
      out += text[at];
    }
  }
  return out;
}

// What the options of a v1 mount bind; a hierarchy without controllers has a name instead.
std::vector<std::string> controllers_in(std::string_view options) {
  std::vector<std::string> controllers;
  for (const std::string_view option : split(options, ','))
    for (const std::string_view known : {"blkio", "cpu", "cpuset", "memory", "pids"})
      if (option == known) controllers.emplace_back(known);
  return controllers;
}

}  // namespace

Mounts parse_mountinfo(std::string_view text) {
  Mounts mounts;
  for (const std::string_view line : split(text, '\n')) {
    // 31 23 0:28 ROOT MOUNT-POINT OPTIONS [optional fields] - TYPE SOURCE SUPER-OPTIONS
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto before = split(line.substr(0, dash), ' ');
    const auto after = split(line.substr(dash + 3), ' ');
    if (before.size() < 6 || after.size() < 3) continue;
    if (after[0] == "cgroup2" && mounts.unified.empty())
      mounts.unified = unescaped(before[4]);
    else if (after[0] == "cgroup")
      mounts.legacy.push_back({controllers_in(after[2]), unescaped(before[4])});
  }
  return mounts;
}

Membership parse_own_cgroup(std::string_view text) {
  Membership own;
  for (const std::string_view line : split(text, '\n')) {
    // HIERARCHY:CONTROLLERS:PATH; cgroup v2 is hierarchy 0 and names no controllers.
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string_view path = line.substr(second + 1);
    if (line.substr(0, first) != "0") {
      own.legacy.emplace_back(controllers);
    } else {
      // A cgroup that was removed around its last process.
      if (path.ends_with(" (deleted)")) path.remove_suffix(10);
      own.path = path;
    }
  }
  return own;
}

}  // namespace jaula::cgroups
