#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/log_files.h"
#include "runtime/log_printer.h"
#include "runtime/log_store.h"

namespace jaula {
namespace {

// What happens in the directory of a log. One watch on the directory tells of all its files.
class LogWatch {
 public:
  struct News {
    bool rotated = false;  // there may be a younger file
    bool removed = false;  // the log was deleted; a rotation never deletes `log`
    bool ended = false;    // the process of the pidfd, or the time that was asked for
  };
  static Result<LogWatch> start(int directory);
  // Sleeps until something happened.
  Result<News> wait(int end_pidfd, std::optional<std::int64_t> until);

 private:
  Result<void> take_events(News& news);
  Fd events_;
};

Result<LogWatch> LogWatch::start(int directory) {
  LogWatch watch;
  watch.events_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch.events_)
    return Error(errno, "watch the log").hint("see fs.inotify.max_user_instances in sysctl");
  const std::string path = "/proc/self/fd/" + std::to_string(directory);
  constexpr unsigned kEvents = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR;
  if (::inotify_add_watch(watch.events_.get(), path.c_str(), kEvents) < 0)
    return Error(errno, "watch the log").hint("see fs.inotify.max_user_watches in sysctl");
  return watch;
}

Result<LogWatch::News> LogWatch::wait(int end_pidfd, std::optional<std::int64_t> until) {
  for (;;) {
    // poll passes over negative descriptors.
    pollfd fds[] = {{.fd = events_.get(), .events = POLLIN, .revents = 0},
                    {.fd = end_pidfd, .events = POLLIN, .revents = 0}};
    timespec left{};
    if (until) {
      const std::int64_t rest = std::max<std::int64_t>(*until - now_nanoseconds(), 0);
      left = {.tv_sec = rest / 1'000'000'000, .tv_nsec = rest % 1'000'000'000};
    }
    const int ready = ::ppoll(fds, 2, until ? &left : nullptr, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Error(errno, "wait for the log");
    News news{.ended = ready == 0 || fds[1].revents != 0};
    if (fds[0].revents != 0) TRY(take_events(news));
    return news;
  }
}

Result<void> LogWatch::take_events(News& news) {
  alignas(inotify_event) char buffer[8192];
  const ssize_t got = ::read(events_.get(), buffer, sizeof buffer);
  if (got < 0 && errno != EAGAIN && errno != EINTR) return Error(errno, "read events of the log");
  for (ssize_t at = 0; at < got;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);  // NOLINT
    const bool log = event->len != 0 && std::string_view(event->name) == log_file_name(0);
    const bool overflow = (event->mask & IN_Q_OVERFLOW) != 0;
    if ((log && (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0) || overflow) news.rotated = true;
    if (log && (event->mask & IN_DELETE) != 0) news.removed = true;
    at += static_cast<ssize_t>(sizeof *event + event->len);
  }
  return {};
}

// One reading of a log, from its start to the end of the youngest file.
class LogReading {
 public:
  LogReading(int directory, const LogQuery& query, const LogPrinter::Options& options)
      : directory_(directory), printer_(options) {
    if (query.since) window_.since = rfc3339(*query.since);
    if (query.until) window_.until = rfc3339(*query.until);
  }
  Result<void> begin(std::optional<std::uint64_t> tail);
  Result<void> go_on(bool rotated);
  Result<void> end();

 private:
  Result<void> read_younger();
  Result<void> print_rest();
  Result<void> open_next(LogFile file, std::uint64_t offset);

  int directory_;
  LogWindow window_;
  LogPrinter printer_;
  std::optional<LogCursor> cursor_;  // in the youngest file that was there
  std::uint64_t damaged_ = 0;
};

Result<void> LogReading::begin(std::optional<std::uint64_t> tail) {
  std::vector<LogFile> files = TRY(open_log_files(directory_));
  std::size_t first = 0;
  std::uint64_t offset = 0;
  if (tail) {
    LogTail walk(*tail, window_);
    for (first = files.size(); first > 0 && !walk.done();)
      offset = TRY(walk.start_in(files[--first].file.get()));
  }
  for (; first < files.size(); ++first)
    TRY(open_next(std::move(files[first]), std::exchange(offset, 0)));
  return printer_.flush();
}

Result<void> LogReading::go_on(bool rotated) {
  if (cursor_) TRY(print_rest());
  if (rotated) TRY(read_younger());
  return printer_.flush();
}

// The files that came after the one that was read last.
Result<void> LogReading::read_younger() {
  std::vector<LogFile> files = TRY(open_log_files(directory_));
  if (cursor_) {
    // What came into the old file between the end that was seen and its new name.
    TRY(print_rest());
    const auto last = std::find_if(files.begin(), files.end(), [&](const LogFile& file) {
      return file.inode == cursor_->inode();
    });
    if (last != files.end())
      files.erase(files.begin(), last + 1);
    else if (!files.empty())
      log::warn("log: it is written faster than it is read; lines may be missing here");
  }
  for (LogFile& file : files) TRY(open_next(std::move(file), 0));
  return {};
}

Result<void> LogReading::end() {
  if (cursor_) damaged_ += cursor_->damaged();
  if (damaged_ != 0) log::warn("log: ", damaged_, " damaged lines were left out");
  return printer_.flush();
}

Result<void> LogReading::open_next(LogFile file, std::uint64_t offset) {
  if (cursor_) damaged_ += cursor_->damaged();
  cursor_.emplace(std::move(file), offset);
  return print_rest();
}

Result<void> LogReading::print_rest() {
  for (;;) {
    const std::optional<LogRecord> record = TRY(cursor_->next());
    if (!record) return {};
    if (!window_.before(*record) && !window_.after(*record)) TRY(printer_.print(*record));
  }
}

Result<void> follow(LogReading& reading, LogWatch& watch, const LogQuery& query) {
  for (;;) {
    const LogWatch::News news = TRY(watch.wait(query.end_pidfd, query.until));
    // Read after the end was seen: what was written before it is there now, in younger files too if
    // the events that tell of them are still in the queue.
    TRY(reading.go_on(news.rotated || news.ended));
    if (news.ended || news.removed) return {};
  }
}

}  // namespace

Result<void> read_log(const std::string& directory, const LogQuery& query, int out_fd, int err_fd) {
  const Result<Fd> opened = sys::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened && opened.error().code() == ENOENT)
    return Error(0, "there is no log ", directory)
        .hint(
            "a jail keeps a log when it is started with `-d`; in the foreground its output goes "
            "to the terminal");
  if (!opened) return opened.error();
  LogReading reading(opened->get(), query,
                     {.out_fd = out_fd,
                      .err_fd = err_fd,
                      .timestamps = query.timestamps,
                      .escape_out = query.escape_out,
                      .escape_err = query.escape_err});
  if (!query.follow) {
    TRY(reading.begin(query.tail));
    return reading.end();
  }
  // Watched before it is read, so that nothing falls in between.
  LogWatch watch = TRY(LogWatch::start(opened->get()));
  TRY(reading.begin(query.tail));
  TRY(follow(reading, watch, query));
  return reading.end();
}

}  // namespace jaula
