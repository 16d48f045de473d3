#include "runtime/base/sys.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jaula::sys {
namespace {

Result<Fd> owned(long number, std::string_view operation, std::string_view operand) noexcept {
  if (number < 0) return Error(errno, operation, operand);
  return Fd(static_cast<int>(number));
}

Result<void> done(long result, std::string_view operation, std::string_view operand) noexcept {
  if (result < 0) return Error(errno, operation, operand);
  return {};
}

// What not every kernel has, and the Linux that brought it. ENOSYS is also what the filter of a
// container answers for a call that it does not know.
struct Feature {
  std::string_view name, release;
};
constexpr Feature kOpenat2{"openat2", "5.6"};
constexpr Feature kFsopen{"fsopen", "5.2"};
constexpr Feature kFsconfig{"fsconfig", "5.2"};
constexpr Feature kFsmount{"fsmount", "5.2"};
constexpr Feature kOpenTree{"open_tree", "5.2"};
constexpr Feature kMoveMount{"move_mount", "5.2"};
constexpr Feature kMountSetattr{"mount_setattr", "5.12"};
constexpr Feature kClone3{"clone3", "5.3"};
constexpr Feature kCloneIntoCgroup{"CLONE_INTO_CGROUP of clone3", "5.7"};
constexpr Feature kPidfdOpen{"pidfd_open", "5.3"};
constexpr Feature kPidfdSendSignal{"pidfd_send_signal", "5.1"};
constexpr Feature kCloseRange{"close_range", "5.9"};

// `absent` is what a kernel without the feature answers.
[[gnu::cold]] Error refused(Error error, const Feature& feature, int absent = ENOSYS) noexcept {
  if (error.code() != absent) return error;
  return error.in(feature.name, ": ")
      .hint("Linux has it from ", feature.release,
            " on; a container's filter lets it pass with --security-opt seccomp=unconfined");
}

Result<Fd> owned(long number, const Feature& feature, std::string_view operation,
                 std::string_view operand) noexcept {
  if (number < 0) return refused(Error(errno, operation, operand), feature);
  return Fd(static_cast<int>(number));
}

Result<void> done(long result, const Feature& feature, std::string_view operation,
                  std::string_view operand) noexcept {
  if (result < 0) return refused(Error(errno, operation, operand), feature);
  return {};
}

}  // namespace

Result<Fd> open(const char* path, int flags, mode_t mode) noexcept {
  return openat(AT_FDCWD, path, flags, mode);
}

Result<Fd> openat(int dir, const char* path, int flags, mode_t mode) noexcept {
  long fd;
  do fd = ::openat(dir, path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return owned(fd, "open ", path);
}

Result<Fd> openat2(int dir, const char* path, const open_how& how) noexcept {
  open_how cloexec = how;
  cloexec.flags |= O_CLOEXEC;
  long fd;
  do fd = ::syscall(SYS_openat2, dir, path, &cloexec, sizeof cloexec);
  // EAGAIN: a rename raced with the walk (openat2(2)); the walk is simply made again.
  while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return owned(fd, kOpenat2, "open ", path);
}

Result<struct stat> fstat(int fd) noexcept {
  struct stat info;
  if (::fstat(fd, &info) < 0) return Error(errno, "stat descriptor ", fd);
  return info;
}

Result<void> mkdirat(int dir, const char* path, mode_t mode) noexcept {
  return done(::mkdirat(dir, path, mode), "make directory ", path);
}

Result<void> mknod_file(int dir, const char* path, mode_t mode) noexcept {
  return done(::mknodat(dir, path, S_IFREG | mode, 0), "make file ", path);
}

Result<void> symlinkat(const char* text, int dir, const char* path) noexcept {
  return done(::symlinkat(text, dir, path), "make link ", path);
}

Result<void> fchdir(int fd) noexcept { return done(::fchdir(fd), "enter directory", ""); }

Result<void> write_all(int fd, std::string_view bytes, std::string_view what) noexcept {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EAGAIN) {
      pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, -1);
    } else if (wrote < 0 && errno != EINTR) {
      return Error(errno, "write ", what);
    } else if (wrote > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (wrote == 0) {
      return Error(ENOSPC, "write ", what);
    }
  }
  return {};
}

Result<void> write_once(int fd, std::string_view bytes, std::string_view what) noexcept {
  ssize_t wrote;
  do wrote = ::write(fd, bytes.data(), bytes.size());
  while (wrote < 0 && errno == EINTR);
  if (wrote < 0) return Error(errno, "write ", what);
  if (static_cast<std::size_t>(wrote) != bytes.size()) return Error(EINVAL, "write ", what);
  return {};
}

Result<void> write_file_at(int dir, const char* path, std::string_view bytes) noexcept {
  const Fd file = TRY(openat(dir, path, O_WRONLY));
  return write_once(file.get(), bytes, path);
}

Result<Fd> fsopen(const char* type) noexcept {
  return owned(::fsopen(type, FSOPEN_CLOEXEC), kFsopen, "open file system type ", type);
}

Result<void> fsconfig_string(int context, const char* key, const char* value) noexcept {
  if (::fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) < 0)
    return refused(Error(errno, "set mount option ", key, "=", value), kFsconfig);
  return {};
}

Result<void> fsconfig_flag(int context, const char* key) noexcept {
  return done(::fsconfig(context, FSCONFIG_SET_FLAG, key, nullptr, 0), kFsconfig,
              "set mount option ", key);
}

Result<Fd> fsmount(int context, const char* type, unsigned attributes) noexcept {
  if (::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return refused(Error(errno, "create file system ", type), kFsconfig);
  return owned(::fsmount(context, FSMOUNT_CLOEXEC, attributes), kFsmount, "mount file system ",
               type);
}

Result<Fd> clone_tree(int dir, const char* path, unsigned at_flags) noexcept {
  return owned(::open_tree(dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | at_flags), kOpenTree,
               "clone mount ", path);
}

Result<void> move_mount(int tree, int directory, const char* name) noexcept {
  const unsigned itself = name[0] == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0U;
  return done(::move_mount(tree, "", directory, name, MOVE_MOUNT_F_EMPTY_PATH | itself), kMoveMount,
              "attach mount ", name);
}

Result<void> mount_setattr(int tree, unsigned at_flags, std::uint64_t set, std::uint64_t clear,
                           std::uint64_t propagation, int user_namespace) noexcept {
  mount_attr attributes{
      .attr_set = set,
      .attr_clr = clear,
      .propagation = propagation,
      .userns_fd = user_namespace < 0 ? 0 : static_cast<std::uint64_t>(user_namespace)};
  return done(::mount_setattr(tree, "", AT_EMPTY_PATH | at_flags, &attributes, sizeof attributes),
              kMountSetattr, "set mount attributes", "");
}

Result<void> set_propagation_of_root(std::uint64_t propagation) noexcept {
  mount_attr attributes{.attr_set = 0, .attr_clr = 0, .propagation = propagation, .userns_fd = 0};
  return done(::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes),
              kMountSetattr, "set propagation of ", "/");
}

Result<void> pivot_root_here() noexcept {
  TRY(done(::syscall(SYS_pivot_root, ".", "."), "pivot_root", ""));
  // Both roots are now stacked on "/"; "." is the old one until it is detached. pivot_root(2)
  return done(::umount2(".", MNT_DETACH), "detach the old root", "");
}

Result<pid_t> clone3(clone_args& args) noexcept {
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) {
    Error error(errno, "start a process");
    // E2BIG: the arguments of a newer clone3 than the kernel's.
    return refused(refused(error, kClone3), kCloneIntoCgroup, E2BIG);
  }
  return static_cast<pid_t>(pid);
}

Result<void> unshare(int flags) noexcept { return done(::unshare(flags), "unshare", ""); }

Result<void> setns(int fd, int flags) noexcept {
  return done(::setns(fd, flags), "enter namespaces", "");
}

Result<Fd> pidfd_open(pid_t pid) noexcept {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) return refused(Error(errno, "open process ", pid), kPidfdOpen);
  return Fd(static_cast<int>(fd));
}

Result<void> pidfd_send_signal(int pidfd, int signal) noexcept {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) < 0)
    return refused(Error(errno, "send signal ", signal), kPidfdSendSignal);
  return {};
}

Result<siginfo_t> wait_pidfd(int pidfd, int options) noexcept {
  siginfo_t info{};
  int result;
  do result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, options);
  while (result < 0 && errno == EINTR);
  if (result < 0) return Error(errno, "wait for process");
  return info;
}

Result<void> prctl(int option, unsigned long argument, std::string_view what) noexcept {
  return done(::prctl(option, argument, 0UL, 0UL, 0UL), "prctl ", what);
}

Result<void> set_rlimit(pid_t pid, int resource, const rlimit64& limit) noexcept {
  if (::prlimit64(pid, static_cast<__rlimit_resource>(resource), &limit, nullptr) < 0)
    return Error(errno, "set resource limit");
  return {};
}

Result<void> close_range(unsigned first, unsigned last, unsigned flags) noexcept {
  return done(::close_range(first, last, static_cast<int>(flags)), kCloseRange,
              "close other descriptors", "");
}

void exit_now(int code) noexcept { ::_exit(code); }

}  // namespace jaula::sys
