// One function, one syscall, one Error text. Both sides of the fork: no heap, no locks, no stdio.
// EINTR is retried where the call can be interrupted before it did anything.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <span>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::sys {

// --- files: open(2), openat2(2). Every descriptor is CLOEXEC at birth.
Result<Fd> open(const char* path, int flags, mode_t mode = 0) noexcept;
Result<Fd> openat(int dir, const char* path, int flags, mode_t mode = 0) noexcept;
Result<Fd> openat2(int dir, const char* path, const open_how& how) noexcept;
Result<struct stat> fstat(int fd) noexcept;
Result<void> mkdirat(int dir, const char* path, mode_t mode) noexcept;
Result<void> mknod_file(int dir, const char* path, mode_t mode) noexcept;  // regular, empty
Result<void> symlinkat(const char* text, int dir, const char* path) noexcept;
Result<void> fchdir(int fd) noexcept;
// Writes all of `bytes`, in as many calls as it takes; waits where the descriptor does not block.
// `what` names the file in the error.
Result<void> write_all(int fd, std::string_view bytes, std::string_view what) noexcept;
// In one write(2), as a file of procfs or cgroupfs wants its value: a part of it is none.
Result<void> write_once(int fd, std::string_view bytes, std::string_view what) noexcept;
// openat, one write, close: for procfs and cgroupfs files.
Result<void> write_file_at(int dir, const char* path, std::string_view bytes) noexcept;

// --- mounts: fsopen(2), open_tree(2), move_mount(2), mount_setattr(2), pivot_root(2)
Result<Fd> fsopen(const char* type) noexcept;
Result<void> fsconfig_string(int context, const char* key, const char* value) noexcept;
Result<void> fsconfig_flag(int context, const char* key) noexcept;
Result<Fd> fsmount(int context, const char* type, unsigned attributes) noexcept;
// A detached copy of the mount at (dir, path); with AT_RECURSIVE, of the tree below it too.
Result<Fd> clone_tree(int dir, const char* path, unsigned at_flags) noexcept;
// Attaches the tree to `directory` itself, or to `name` in it, which is not followed if it is a
// link.
Result<void> move_mount(int tree, int directory, const char* name = "") noexcept;
Result<void> mount_setattr(int tree, unsigned at_flags, std::uint64_t set, std::uint64_t clear,
                           std::uint64_t propagation = 0, int user_namespace = -1) noexcept;
Result<void> set_propagation_of_root(std::uint64_t propagation) noexcept;
Result<void> pivot_root_here() noexcept;  // pivot_root(".", "."), then the old root is detached

// --- processes: clone3(2), setns(2), pidfd_open(2), pidfd_send_signal(2)
Result<pid_t> clone3(clone_args& args) noexcept;  // 0 in the child
Result<void> unshare(int flags) noexcept;
Result<void> setns(int fd, int flags) noexcept;
Result<Fd> pidfd_open(pid_t pid) noexcept;
Result<void> pidfd_send_signal(int pidfd, int signal) noexcept;
Result<siginfo_t> wait_pidfd(int pidfd, int options) noexcept;
Result<void> prctl(int option, unsigned long argument, std::string_view what) noexcept;
Result<void> set_rlimit(pid_t pid, int resource, const rlimit64& limit) noexcept;
Result<void> close_range(unsigned first, unsigned last, unsigned flags) noexcept;
[[noreturn]] void exit_now(int code) noexcept;  // _exit: no destructors of the parent's objects

}  // namespace jaula::sys
