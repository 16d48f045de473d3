// The jail's terminal: a pty of the jail's own devpts, so that its name means something inside.
// Runs inside. pty(7), ioctl_tty(2), CVE-2025-52565
#pragma once

#include <sys/ioctl.h>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula::isolation {

struct Pty {
  Fd master;  // goes to the monitor
  Fd slave;   // becomes 0, 1, 2 and the controlling terminal
};

// Opens a pty below `dev` (a directory descriptor of the jail's /dev), sized before anybody can
// look at it. What is opened is verified to be the multiplexer of a devpts.
Result<Pty> open_pty(int dev, const winsize& size) noexcept;

// This process leads a session without a terminal; makes it this one.
Result<void> take_as_controlling_terminal(int slave) noexcept;

}  // namespace jaula::isolation
