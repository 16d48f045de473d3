#include "runtime/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

namespace jaula {

int Pump::wanted(short& events) const noexcept {
  if (used_ > 0) {
    events = POLLOUT;
    return to_;
  }
  events = POLLIN;
  return from_;
}

// A terminal learns of the end of its input by a character, not by a close; behind a part of a line
// the first one only ends that part. To a program that reads raw it is a byte as any. termios(3)
void Pump::end_terminal_input() const noexcept {
  termios mode;
  if (::tcgetattr(to_, &mode) < 0 || (mode.c_lflag & ICANON) == 0) return;
  const char twice[] = {static_cast<char>(mode.c_cc[VEOF]), static_cast<char>(mode.c_cc[VEOF])};
  [[maybe_unused]] const ssize_t told = ::write(to_, twice, last_ == '\n' ? 1 : 2);
}

void Pump::end() noexcept {
  if (from_ == 0) end_terminal_input();
  from_ = -1;
  own_.reset();
}

void Pump::fill() noexcept {
  const ssize_t got = ::read(from_, buffer_->data(), buffer_->size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  // EIO is how a pty says that its last slave is closed. pty(7)
  if (got <= 0) return end();
  if (log_ != nullptr) {
    log_->append(stream_, {buffer_->data(), static_cast<std::size_t>(got)});
    return;
  }
  used_ = static_cast<std::size_t>(got);
  written_ = 0;
  last_ = (*buffer_)[used_ - 1];
}

void Pump::flush() noexcept {
  // After POLLOUT a pipe takes PIPE_BUF bytes without blocking, whatever its flags are. pipe(7) A
  // terminal may take a single one: those that we write to do not block.
  const std::size_t size = std::min<std::size_t>(used_ - written_, 4096);
  const ssize_t wrote = ::write(to_, buffer_->data() + written_, size);
  if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (wrote < 0) {
    // Nobody reads any more. Closing the pipe would kill the payload for it, so the bytes go.
    written_ = used_;
    taker_is_gone_ = true;
  } else {
    written_ += static_cast<std::size_t>(wrote);
  }
  if (written_ == used_) used_ = 0;
}

void Pump::step() noexcept { used_ > 0 ? flush() : fill(); }

bool Pump::drain(int enough, int patience) noexcept {
  // What the payload did not take of its input is the caller's to read.
  if (from_ == 0) return true;
  // No more than is there now: others in the jail may write on, and for ever. A terminal does not
  // tell how much that is, but it holds less than this between its two ends.
  constexpr int kTerminalHolds = 128 << 10;
  int left = 0;
  if (from_ < 0 || ::ioctl(from_, FIONREAD, &left) < 0) left = 0;
  if (from_ >= 0 && ::isatty(from_) == 1) left = kTerminalHolds;
  for (;;) {
    while (used_ > 0) {
      pollfd room[] = {{.fd = to_, .events = POLLOUT, .revents = 0},
                       {.fd = enough, .events = POLLIN, .revents = 0}};
      const int ready = ::poll(room, 2, patience);
      if (ready == 0 || (ready > 0 && room[1].revents != 0)) return false;
      if (ready > 0) flush();
    }
    pollfd more{.fd = from_, .events = POLLIN, .revents = 0};
    if (left <= 0 || ::poll(&more, 1, 0) <= 0) return true;
    const auto size = std::min<std::size_t>(static_cast<std::size_t>(left), buffer_->size());
    const ssize_t got = ::read(from_, buffer_->data(), size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    left -= static_cast<int>(got);
    if (log_ != nullptr) {
      log_->append(stream_, {buffer_->data(), static_cast<std::size_t>(got)});
    } else {
      used_ = static_cast<std::size_t>(got);
      written_ = 0;
    }
  }
}

Result<Stdio> Stdio::make(const StdioOptions& options, LogWriter* log) {
  Stdio stdio(options, log);
  if (options.terminal) return stdio;  // the pty comes from inside
  TRY(stdio.make_input());
  for (const int number : {1, 2}) {
    const auto at = static_cast<std::size_t>(number);
    const Stream stream = number == 1 ? Stream::kStdout : Stream::kStderr;
    stdio.given_[at] = TRY(stdio.make_output(number, stream, stdio.child_[at]));
  }
  return stdio;
}

Result<Stdio> Stdio::resume(LogWriter& log, Fd out, Fd err, const Fd& terminal_master) {
  Stdio stdio({.detached = true, .terminal = static_cast<bool>(terminal_master)}, &log);
  if (terminal_master) {
    TRY(stdio.hold_open(terminal_master));
    stdio.pumps_.emplace_back(terminal_master.get(), log, Stream::kStdout, Fd());
    return stdio;
  }
  const int numbers[] = {out.get(), err.get()};
  stdio.pumps_.emplace_back(numbers[0], log, Stream::kStdout, std::move(out));
  stdio.pumps_.emplace_back(numbers[1], log, Stream::kStderr, std::move(err));
  return stdio;
}

std::pair<int, int> Stdio::log_sources() const noexcept {
  if (options_.terminal) return {-1, -1};
  return {pumps_[0].from(), pumps_[1].from()};
}

namespace {

bool is_anonymous_pipe(int fd) {
  struct statfs info;
  return ::fstatfs(fd, &info) == 0 && info.f_type == PIPEFS_MAGIC;
}

// A directory of the caller's, handed in as 0, 1 or 2, would be a way out. CVE-2024-21626
Result<int> hand_in(int number) {
  if (mutant("no directory handed in")) return number;
  const struct stat info = TRY(sys::fstat(number));
  // Programs open /dev/stdout again, and the jail's users are nobody to the one who made the pipe.
  // Whoever reaches it in /proc holds it already. That of another user stays as it is.
  if (S_ISFIFO(info.st_mode) && is_anonymous_pipe(number)) [[maybe_unused]]
    const int opened = ::fchmod(number, 0666);
  if (!S_ISDIR(info.st_mode) && (::fcntl(number, F_GETFL) & O_PATH) == 0) return number;
  return Error(0,
               number == 0   ? "standard input"
               : number == 1 ? "standard output"
                             : "standard error",
               " is a directory, through which the jail would see the host")
      .hint("give it a file, a pipe or /dev/null");
}

}  // namespace

Result<void> Stdio::make_input() {
  if (options_.interactive && !options_.detached && ::isatty(0) == 0) {
    TRY(hand_in(0));
    return {};
  }
  if (!options_.interactive || options_.detached) {
    child_[0] = TRY(sys::open("/dev/null", O_RDONLY));
    given_[0] = child_[0].get();
    return {};
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return Error(errno, "make a pipe");
  child_[0] = Fd(ends[0]);
  given_[0] = ends[0];
  pumps_.emplace_back(0, ends[1], Fd(ends[1]));
  return {};
}

Result<int> Stdio::make_output(int number, Stream stream, Fd& child_end) {
  if (!options_.detached && ::isatty(number) == 0) return hand_in(number);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return Error(errno, "make a pipe");
  child_end = Fd(ends[1]);
  // The payload's user may open /dev/stdout again; whoever reaches it there may write already.
  if (::fchmod(child_end.get(), 0666) < 0) return Error(errno, "set mode of a pipe");
  if (options_.detached) {
    pumps_.emplace_back(ends[0], *log_, stream, Fd(ends[0]));
  } else {
    pumps_.emplace_back(ends[0], taker(static_cast<std::size_t>(number)), Fd(ends[0]));
  }
  return child_end.get();
}

// Where to write what is for the caller's descriptor. A terminal that is stopped (^S) must not hold
// us, and its flags are shared with everybody who has it: it is opened anew.
int Stdio::taker(std::size_t number) {
  const std::string path = "/proc/self/fd/" + std::to_string(number);
  if (::isatty(static_cast<int>(number)) == 1)
    if (Result<Fd> own = sys::open(path.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK))
      terminals_[number] = std::move(*own);
  return terminals_[number] ? terminals_[number].get() : static_cast<int>(number);
}

isolation::StandardFds Stdio::child_ends() const noexcept {
  return {given_[0], given_[1], given_[2]};
}

Result<void> Stdio::started(const Fd& terminal_master) {
  for (Fd& end : child_) end.reset();
  if (!options_.terminal) return {};
  TRY(hold_open(terminal_master));
  if (options_.detached) {
    pumps_.emplace_back(terminal_master.get(), *log_, Stream::kStdout, Fd());
    return {};
  }
  const int flags = ::fcntl(terminal_master.get(), F_GETFL);
  if (flags < 0 || ::fcntl(terminal_master.get(), F_SETFL, flags | O_NONBLOCK) < 0)
    return Error(errno, "set the flags of the terminal");
  pumps_.emplace_back(terminal_master.get(), taker(1), Fd());
  if (!options_.interactive) return {};
  pumps_.emplace_back(0, terminal_master.get(), Fd());
  termios mode;
  if (::isatty(0) == 0 || ::tcgetattr(0, &mode) < 0) return {};
  mode_before_ = mode;
  ::cfmakeraw(&mode);
  if (::tcsetattr(0, TCSANOW, &mode) < 0) return Error(errno, "set the terminal to raw mode");
  return {};
}

// By the master alone, never by a name of the jail's. TIOCGPTPEER, ioctl_tty(2)
Result<void> Stdio::hold_open(const Fd& terminal_master) {
  terminal_slave_ = Fd(::ioctl(terminal_master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal_slave_) return Error(errno, "open the other end of the terminal");
  return {};
}

void Stdio::resize(const Fd& terminal_master) const noexcept {
  if (!options_.terminal || options_.detached || !terminal_master) return;
  const winsize size = terminal_size_of_caller();
  ::ioctl(terminal_master.get(), TIOCSWINSZ, &size);
}

Stdio::~Stdio() {
  if (mode_before_) ::tcsetattr(0, TCSADRAIN, &*mode_before_);
}

winsize terminal_size_of_caller() {
  for (const int fd : {0, 1, 2}) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) return size;
  }
  return {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
}

}  // namespace jaula
