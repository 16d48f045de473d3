#include "runtime/process_id.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula {
namespace {

Result<ProcessStat> read_process_stat(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const std::string text = TRY(read_file(path, 4096));
  const std::optional<ProcessStat> stat = parse_process_stat(text);
  if (!stat) return Error(EBADMSG, "read ", path);
  return *stat;
}

// EINVAL and, on newer kernels, ENOENT: the pid is a thread's now. pidfd_open(2)
bool is_gone(int code) { return code == ESRCH || code == EINVAL || code == ENOENT; }

Result<bool> look_for(const ProcessId& id) {
  if (id.pid <= 0) return false;
  const Result<ProcessStat> stat = read_process_stat(id.pid);
  if (stat) return stat->start_time == id.start_time && stat->state != 'Z' && stat->state != 'X';
  if (is_gone(stat.error().code())) return false;
  return stat.error();
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The second field is the command in parentheses and may itself hold ") ": the last one counts.
  const std::size_t command_end = text.rfind(") ");
  if (command_end == std::string_view::npos) return std::nullopt;
  std::string_view field = text.substr(command_end + 2);
  const char state = field.empty() ? '\0' : field[0];
  for (int number = 3; number < 22; ++number) {
    const std::size_t blank = field.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    field.remove_prefix(blank + 1);
  }
  const std::optional<std::uint64_t> start_time = parse_decimal(field.substr(0, field.find(' ')));
  if (!start_time) return std::nullopt;
  return ProcessStat{.state = state, .start_time = *start_time};
}

Result<ProcessId> process_id(int pid) {
  const ProcessStat stat = TRY(read_process_stat(pid));
  return ProcessId{.pid = pid, .start_time = stat.start_time};
}

bool is_alive(const ProcessId& id) {
  const Result<bool> found = look_for(id);
  return found && *found;
}

Result<std::optional<Fd>> open_process(const ProcessId& id) {
  if (id.pid <= 0) return std::optional<Fd>();
  Result<Fd> process = sys::pidfd_open(id.pid);
  if (!process && is_gone(process.error().code())) return std::optional<Fd>();
  if (!process) return process.error();
  // Looked at after the pidfd was opened: if the start time is right now, the pid was not free in
  // between, and the pidfd is of the same process.
  if (!TRY(look_for(id))) return std::optional<Fd>();
  return std::optional<Fd>(std::move(*process));
}

Result<bool> wait_for_end(const Fd& pidfd, std::optional<std::chrono::milliseconds> timeout) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + timeout.value_or(std::chrono::milliseconds{0});
  for (;;) {
    pollfd wait{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
    timespec left{};
    const auto rest = std::max(deadline - steady_clock::now(), steady_clock::duration::zero());
    left.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(rest).count();
    left.tv_nsec = (rest % std::chrono::seconds{1}).count();
    const int ready = ::ppoll(&wait, 1, timeout ? &left : nullptr, nullptr);
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) return Error(errno, "wait for a process");
  }
}

const std::string& boot_id() {
  static const std::string id = [] {
    const Result<std::string> text = read_file("/proc/sys/kernel/random/boot_id", 64);
    return text ? std::string(trim(*text)) : std::string("unknown");
  }();
  return id;
}

}  // namespace jaula
