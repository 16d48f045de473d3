#include "runtime/plan/trials.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "cgroups/device_program.h"
#include "runtime/base/sys.h"
#include "runtime/plan/devices.h"

namespace jaula::plan {
namespace {

Trial trial_of(const Result<void>& result) {
  if (result) return {};
  return {.error = result.error().code() != 0 ? result.error().code() : EIO};
}

// "0 OUTSIDE COUNT\n"
std::string map_text(std::uint32_t outside, std::uint32_t count) {
  return "0 " + std::to_string(outside) + " " + std::to_string(count) + "\n";
}

// A process may map its own id to root, alone, and only after it gave up setgroups(2).
Result<void> become_root_inside(uid_t user, gid_t group) {
  TRY(sys::write_file_at(AT_FDCWD, "/proc/self/uid_map", map_text(user, 1)));
  TRY(sys::write_file_at(AT_FDCWD, "/proc/self/setgroups", "deny"));
  return sys::write_file_at(AT_FDCWD, "/proc/self/gid_map", map_text(group, 1));
}

// Runs `attempt` as root of new namespaces; they, and what was mounted in them, end with it.
Trial in_namespaces(std::uint64_t flags, Result<void> (*attempt)()) {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  clone_args args{};
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  const Result<pid_t> pid = sys::clone3(args);
  if (!pid) return {.error = pid.error().code()};
  if (*pid == 0) {
    Result<void> result = become_root_inside(user, group);
    if (result) result = attempt();
    sys::exit_now(trial_of(result).error);
  }
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0)
    if (errno != EINTR) return {.error = errno};
  return {.error = WIFEXITED(status) ? WEXITSTATUS(status) : EIO};
}

Result<Fd> mounted(const char* type) {
  const Fd context = TRY(sys::fsopen(type));
  return sys::fsmount(context.get(), type, 0);
}

// The clone alone proves nothing: Ubuntu's AppArmor lets it be, and takes the capabilities away.
Result<void> mount_tmpfs() {
  const Fd tree = TRY(mounted("tmpfs"));
  return {};
}

// EPERM when parts of the only /proc that is seen here are hidden below other mounts: the kernel
// does not let a new one reveal them. mount_too_revealing() in fs/namespace.c
Result<void> mount_proc() {
  const Fd tree = TRY(mounted("proc"));
  return {};
}

Result<void> mount_overlay() {
  // Layers must be attached. The mounts of a new user namespace do not propagate to the old one.
  const Fd layers = TRY(mounted("tmpfs"));
  const Fd target = TRY(sys::open("/tmp", O_PATH | O_DIRECTORY));
  TRY(sys::move_mount(layers.get(), target.get()));
  for (const char* name : {"lower", "upper", "work"}) TRY(sys::mkdirat(layers.get(), name, 0755));
  const Fd context = TRY(sys::fsopen("overlay"));
  TRY(sys::fsconfig_string(context.get(), "lowerdir", "/tmp/lower"));
  TRY(sys::fsconfig_string(context.get(), "upperdir", "/tmp/upper"));
  TRY(sys::fsconfig_string(context.get(), "workdir", "/tmp/work"));
  TRY(sys::fsconfig_flag(context.get(), "userxattr"));
  const Fd tree = TRY(sys::fsmount(context.get(), "overlay", 0));
  return {};
}

Result<void> join_keyring() {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0)
    return Error(errno, "join a new session keyring");
  return {};
}

struct Child {  // ends with the object
  pid_t pid = -1;
  explicit Child(pid_t process) : pid(process) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
};

// A user namespace that maps the ids of a jail: it needs a process to be made for.
Result<Fd> mapped_user_namespace() {
  constexpr std::uint32_t kFirst = 524'288, kCount = 65'536;
  clone_args args{};
  args.flags = CLONE_NEWUSER;
  args.exit_signal = SIGCHLD;
  const pid_t parent = ::getpid();
  const pid_t pid = TRY(sys::clone3(args));
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (::getppid() == parent) ::pause();  // another parent: it died before the prctl
    sys::exit_now(0);
  }
  const Child child(pid);
  const std::string path = "/proc/" + std::to_string(pid);
  const Fd process = TRY(sys::open(path.c_str(), O_PATH | O_DIRECTORY));
  const std::string map = map_text(kFirst, kCount);
  TRY(sys::write_file_at(process.get(), "uid_map", map));
  TRY(sys::write_file_at(process.get(), "gid_map", map));
  return sys::openat(process.get(), "ns/user", O_RDONLY);
}

Result<void> map_ids_of(Result<Fd> tree) {
  const Fd copy = TRY(std::move(tree));
  const Fd user_namespace = TRY(mapped_user_namespace());
  return sys::mount_setattr(copy.get(), 0, MOUNT_ATTR_IDMAP, 0, 0, user_namespace.get());
}

}  // namespace

Trial try_user_namespace() { return in_namespaces(CLONE_NEWUSER | CLONE_NEWNS, mount_tmpfs); }

Trial try_proc() { return in_namespaces(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, mount_proc); }

Trial try_overlay() { return in_namespaces(CLONE_NEWUSER | CLONE_NEWNS, mount_overlay); }

Trial try_keyring() { return in_namespaces(CLONE_NEWUSER, join_keyring); }

Trial try_idmapped_root() { return trial_of(map_ids_of(sys::clone_tree(AT_FDCWD, "/", 0))); }

Trial try_device_program() { return trial_of(cgroups::try_load(compile_devices({}))); }

Trial try_core_scheduling() {
  unsigned long long cookie = 0;
  return ::prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, 0, PR_SCHED_CORE_SCOPE_THREAD, &cookie) == 0
             ? Trial{}
             : Trial{.error = errno};
}

Trial try_idmapped_tmpfs() { return trial_of(map_ids_of(mounted("tmpfs"))); }

}  // namespace jaula::plan
