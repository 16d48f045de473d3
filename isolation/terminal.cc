#include "isolation/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "isolation/root_path.h"
#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"

namespace jaula::isolation {
namespace {

constexpr unsigned kTtyAuxMajor = 5;  // Documentation/admin-guide/devices.txt
constexpr unsigned kPtmxMinor = 2;

Result<void> require_multiplexer(int fd) noexcept {
  if (mutant("verified multiplexer")) return {};
  struct statfs fs;
  if (::fstatfs(fd, &fs) < 0) return Error(errno, "stat file system of pts/ptmx");
  const struct stat info = TRY(sys::fstat(fd));
  if (fs.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(info.st_mode) ||
      info.st_rdev != makedev(kTtyAuxMajor, kPtmxMinor))
    return Error(0, "/dev/pts/ptmx of the jail is not the multiplexer of a devpts")
        .hint("something in the jail replaced it; no terminal is opened through it");
  return {};
}

}  // namespace

Result<Pty> open_pty(int dev, const winsize& size) noexcept {
  // O_PATH first: opening a wrong device could already do something.
  const Fd place = TRY(open_in_root(dev, "pts/ptmx", O_PATH | O_NOFOLLOW));
  TRY(require_multiplexer(place.get()));
  Pty pty;
  pty.master = TRY(open_in_root(dev, "pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW));
  TRY(require_multiplexer(pty.master.get()));
  int locked = 0;
  if (::ioctl(pty.master.get(), TIOCSPTLCK, &locked) < 0) return Error(errno, "unlock pty");
  // By ioctl, not by name: a name could lead elsewhere. ioctl_tty(2)
  pty.slave = Fd(::ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.slave) return Error(errno, "open pty slave");
  if (::ioctl(pty.master.get(), TIOCSWINSZ, &size) < 0) return Error(errno, "set terminal size");
  return pty;
}

Result<void> take_as_controlling_terminal(int slave) noexcept {
  if (::ioctl(slave, TIOCSCTTY, 0) < 0) return Error(errno, "take the controlling terminal");
  return {};
}

}  // namespace jaula::isolation
