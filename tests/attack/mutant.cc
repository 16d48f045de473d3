// What jaula_mutant has and jaula has not (runtime/base/mutant.h).
//   JAULA_MUTANT=NAME[,NAME...]           the mitigations to do without
//   JAULA_STOP=FD:STEP PATH[,STEP PATH…]  where to wait, and the socket on which the test is told
#include "runtime/base/mutant.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace jaula {
namespace {

// Copied before main: a process that joins a jail wipes its environment.
std::string copy_of(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? std::string() : value;
}
const std::string kWithout = copy_of("JAULA_MUTANT");
const std::string kStops = copy_of("JAULA_STOP");

bool lists(std::string_view names, std::string_view one, std::string_view more = {}) noexcept {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(name.size() < names.size() ? name.size() + 1 : name.size());
    if (!name.starts_with(one)) continue;
    const std::string_view rest = name.substr(one.size());
    if (more.data() == nullptr ? rest.empty() : rest.starts_with(' ') && rest.substr(1) == more)
      return true;
  }
  return false;
}

}  // namespace

bool mutant(const char* mitigation) noexcept { return lists(kWithout, mitigation); }

void stop_at(const char* step, const char* path) noexcept {
  const std::size_t colon = kStops.find(':');
  if (colon == std::string::npos) return;
  if (!lists(std::string_view(kStops).substr(colon + 1), step, path)) return;
  const int fd = ::atoi(kStops.c_str());
  char byte = 's';
  // A test that went away is no reason to go on with something it wanted stopped.
  if (::write(fd, &byte, 1) != 1 || ::read(fd, &byte, 1) != 1) ::_exit(98);
}

int open_proc_in(const std::string& root) noexcept {
  return ::open((root + "/proc").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace jaula
