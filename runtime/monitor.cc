#include "runtime/monitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "runtime/base/memory.h"
#include "runtime/base/sys.h"
#include "runtime/denials.h"

namespace jaula {
namespace {

// All that a process can be sent for a reason of its own: not what says that this one has erred
// (SIGSEGV …), not the stops of a terminal's job control, not SIGCHLD and SIGPIPE, which are about
// us, nor 32 and 33, which are the C library's. signal(7)
bool is_passed_on(int signal) noexcept {
  constexpr int kPassedOn[] = {SIGHUP,  SIGINT,  SIGQUIT,  SIGUSR1,  SIGUSR2, SIGALRM,
                               SIGTERM, SIGCONT, SIGWINCH, SIGURG,   SIGXCPU, SIGVTALRM,
                               SIGPROF, SIGIO,   SIGPWR,   SIGSTKFLT};
  return signal >= SIGRTMIN ||
         std::find(std::begin(kPassedOn), std::end(kPassedOn), signal) != std::end(kPassedOn);
}

class Monitor {
 public:
  Monitor(Launched& process, Stdio& stdio, const Fd& signals, const Watch& watch)
      : process_(process), stdio_(stdio), signals_(signals), watch_(watch) {}

  Result<Ended> run() {
    if (watch_.time_limit) TRY(arm(*watch_.time_limit));
    while (!TRY(step())) {
    }
    drain();
    return end();
  }

 private:
  // Waits for something to happen and acts on it; true when the process has ended.
  Result<bool> step() {
    pause_ = -1;
    const int denials = watch_.denials != nullptr ? watch_.denials->wanted(pause_) : -1;
    polled_.assign({{process_.pidfd(), POLLIN, 0},
                    {signals_.get(), POLLIN, 0},
                    {timer_ ? timer_.get() : -1, POLLIN, 0},
                    {denials, POLLIN, 0}});
    const std::size_t first_pump = polled_.size();
    for (const Pump& pump : stdio_.pumps()) {
      short events = 0;
      const int fd = pump.wanted(events);
      polled_.push_back({fd, events, 0});
    }
    if (wait() < 0) {
      if (errno == EINTR) return false;
      return Error(errno, "poll");
    }
    for (std::size_t i = first_pump; i < polled_.size(); ++i)
      if (polled_[i].revents != 0) stdio_.pumps()[i - first_pump].step();
    if (polled_[3].revents != 0) watch_.denials->step(polled_[3].revents);
    TRY(hang_up());
    if (polled_[1].revents != 0) TRY(take_signal());
    if (polled_[2].revents != 0) TRY(take_timer());
    return polled_[0].revents != 0;
  }

  // A jail that had to be stopped is not waited for because of one who does not read, and somebody
  // who wants us to end does not want the rest.
  void drain() {
    constexpr int kPatience = 1000;  // ms
    for (Pump& pump : stdio_.pumps())
      while (!pump.drain(signals_.get(), stopping_ ? kPatience : -1)) {
        signalfd_siginfo info;
        if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
        for (const int enough : {SIGHUP, SIGINT, SIGQUIT, SIGTERM})
          if (static_cast<int>(info.ssi_signo) == enough) return;
      }
  }

  // When nobody reads what a terminal shows, the terminal is gone.
  Result<void> hang_up() {
    if (hung_up_ || !process_.terminal() || !stdio_.pumps().front().taker_is_gone()) return {};
    hung_up_ = true;
    return send(SIGHUP);
  }

  // A service is quiet most of its life: when nothing has happened for a while, what the last work
  // has touched is given back.
  int wait() {
    constexpr int kQuietTime = 1000;  // ms
    const int ready = ::poll(polled_.data(), polled_.size(), pause_ >= 0 ? pause_ : kQuietTime);
    if (ready != 0 || pause_ >= 0) return ready;
    give_memory_back();
    return ::poll(polled_.data(), polled_.size(), -1);
  }

  Result<void> take_signal() {
    signalfd_siginfo info;
    if (::read(signals_.get(), &info, sizeof info) != sizeof info) return {};
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGWINCH && process_.terminal()) {
      stdio_.resize(process_.terminal());  // and the kernel tells the payload
      return {};
    }
    if (signal == SIGTERM && watch_.terminate_stops) {
      ended_.terminated = true;
      return begin_stop();
    }
    return send(signal);
  }

  // The ladder: the stop signal, the grace period, then everything at once.
  Result<void> begin_stop() {
    if (stopping_) return {};  // asking twice gives no more time
    stopping_ = true;
    TRY(arm(watch_.grace));
    return send(watch_.stop_signal);
  }

  Result<void> take_timer() {
    std::uint64_t expirations = 0;
    if (::read(timer_.get(), &expirations, sizeof expirations) < 0) return {};
    timer_.reset();
    if (!stopping_) {
      ended_.time_limit = true;
      return begin_stop();
    }
    if (watch_.kill_all != nullptr) TRY(watch_.kill_all(watch_.context));
    return send(SIGKILL);
  }

  Result<void> send(int signal) {
    Result<void> sent = sys::pidfd_send_signal(process_.pidfd(), signal);
    if (!sent && sent.error().code() == ESRCH) return {};
    return sent;
  }

  Result<void> arm(std::chrono::milliseconds after) {
    timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer_) return Error(errno, "make a timer");
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(after.count() / 1000);
    // An all-zero value would disarm it. timerfd_settime(2)
    when.it_value.tv_nsec = static_cast<long>(after.count() % 1000 * 1'000'000) + 1;
    if (::timerfd_settime(timer_.get(), 0, &when, nullptr) < 0) return Error(errno, "set a timer");
    return {};
  }

  Result<Ended> end() {
    const siginfo_t info = TRY(sys::wait_pidfd(process_.pidfd(), WEXITED));
    process_.release();
    int status = 0;
    // PID 1 is a reaper of ours: it told how the payload ended, unless it was killed itself.
    const bool told = process_.status_fd() >= 0 &&
                      ::read(process_.status_fd(), &status, sizeof status) == sizeof status;
    if (told) {
      ended_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      ended_.code = WIFSIGNALED(status) ? 128 + ended_.signal : WEXITSTATUS(status);
    } else {
      ended_.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
      ended_.code = info.si_code == CLD_EXITED ? info.si_status : 128 + ended_.signal;
    }
    return ended_;
  }

  Launched& process_;
  Stdio& stdio_;
  const Fd& signals_;
  const Watch& watch_;
  Fd timer_;
  bool stopping_ = false;
  bool hung_up_ = false;
  Ended ended_;
  int pause_ = -1;  // ms until reports are taken again
  std::vector<pollfd> polled_;
};

}  // namespace

Result<Fd> block_signals() noexcept {
  sigset_t passed_on;
  ::sigemptyset(&passed_on);
  for (int signal = 1; signal <= SIGRTMAX; ++signal)
    if (is_passed_on(signal)) ::sigaddset(&passed_on, signal);
  sigset_t blocked = passed_on;
  ::sigaddset(&blocked, SIGPIPE);  // a reader that left shows as EPIPE
  ::sigaddset(&blocked, SIGXFSZ);  // and the caller's limit of file sizes as EFBIG
  if (::sigprocmask(SIG_BLOCK, &blocked, nullptr) < 0) return Error(errno, "block signals");
  Fd fd(::signalfd(-1, &passed_on, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return Error(errno, "make a signal descriptor");
  return fd;
}

Result<Ended> watch(Launched& process, Stdio& stdio, const Fd& signals, const Watch& watch) {
  return Monitor(process, stdio, signals, watch).run();
}

}  // namespace jaula
