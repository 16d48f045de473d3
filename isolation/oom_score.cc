#include "isolation/oom_score.h"

#include <errno.h>
#include <fcntl.h>

#include "runtime/base/sys.h"

namespace jaula::isolation {

Result<void> write_for(pid_t process, const OomScore& score) noexcept {
  if (score.value.empty()) return {};
  char path[32] = "/proc/self";
  if (process != 0) {
    const Error number(0, process);
    path[6 + number.text().copy(path + 6, 16)] = '\0';
  }
  const Fd directory = TRY(sys::open(path, O_PATH | O_DIRECTORY));
  const Result<void> written = sys::write_file_at(directory.get(), "oom_score_adj", score.value);
  if (written) return {};
  Error error(written.error().code(), score.origin, score.origin.empty() ? "" : ": ",
              "set oom_score_adj to ", score.value);
  if (error.code() == EACCES)
    error.hint("below what it is already it is set by root with CAP_SYS_RESOURCE alone");
  return error;
}

}  // namespace jaula::isolation
