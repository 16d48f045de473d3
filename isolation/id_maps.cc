#include "isolation/id_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iterator>

#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

// A map has at most 340 lines of three numbers. user_namespaces(7)
constexpr std::size_t kMaxWords = std::size_t{340} * 3;
constexpr std::size_t kWordSize = sizeof "4294967295";

// newuidmap PID inside outside count [inside outside count …]; the map's own text, split at blanks.
Result<void> run_helper(const char* helper, pid_t child, const std::string& map) noexcept {
  char words[(kMaxWords + 1) * kWordSize];
  const char* argv[kMaxWords + 3] = {helper};
  std::size_t argc = 1;
  std::size_t used = 0;
  const Error number(0, child);
  const auto word = [&](std::string_view text) {
    if (used + text.size() + 1 > sizeof words || argc + 2 > std::size(argv)) return false;
    text.copy(words + used, text.size());
    words[used + text.size()] = '\0';
    argv[argc++] = words + used;
    used += text.size() + 1;
    return true;
  };
  bool fits = word(number.text());
  for (std::size_t at = 0; fits && at < map.size();) {
    const std::size_t end = std::min(map.find_first_of(" \n", at), map.size());
    if (end > at) fits = word(std::string_view(map).substr(at, end - at));
    at = end + 1;
  }
  if (!fits) return Error(E2BIG, "id map of ", map.size(), " bytes for ", helper);

  const pid_t pid = ::vfork();
  if (pid < 0) return Error(errno, "fork for ", helper);
  if (pid == 0) {
    ::execv(helper, const_cast<char* const*>(argv));  // NOLINT: execv reads only
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return Error(errno, "wait for ", helper);
  if (status != 0)
    return Error(0, helper, " refused the map: ", std::string_view(map).substr(0, map.find('\n')),
                 map.find('\n') + 1 < map.size() ? " …" : "")
        .hint("compare with the ranges of this user in /etc/subuid and /etc/subgid");
  return {};
}

}  // namespace

Result<void> write_for(pid_t child, const IdMaps& maps) noexcept {
  if (maps.uid_map.empty()) return {};
  if (maps.use_helpers) {
    Result<void> mapped = run_helper(kIdMapHelpers[0], child, maps.uid_map);
    if (mapped) mapped = run_helper(kIdMapHelpers[1], child, maps.gid_map);
    if (!mapped && !maps.origin.empty()) mapped.error().in(maps.origin, ": ");
    return mapped;
  }
  char path[32] = "/proc/";
  Error(0, child).text().copy(path + 6, 16);
  const Fd process = TRY(sys::open(path, O_PATH | O_DIRECTORY));
  if (Result<void> written = sys::write_file_at(process.get(), "uid_map", maps.uid_map); !written) {
    // Since 5.12 whoever maps root of the namespace around must have had CAP_SETFCAP when he made
    // the new one: files could be given capabilities that count outside. user_namespaces(7)
    if (written.error().code() == EPERM && ::geteuid() == 0)
      written.error().hint(
          "root maps itself with CAP_SETFCAP alone: start the container around us with --cap-add "
          "SETFCAP (docker, podman), or jaula as another user");
    return written;
  }
  if (maps.deny_setgroups) TRY(sys::write_file_at(process.get(), "setgroups", "deny"));
  return sys::write_file_at(process.get(), "gid_map", maps.gid_map);
}

}  // namespace jaula::isolation
