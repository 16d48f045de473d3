// A file of docker's, podman's or OCI's form → a profile. Everything that is wrong with it is a
// problem with the line and the column of the file. Parent side.
// docs.docker.com/engine/security/seccomp, config-linux.md of the OCI runtime specification
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/spec/context.h"
#include "runtime/spec/seccomp.h"

namespace jaula::spec {

struct KernelVersion {
  unsigned major = 0;
  unsigned minor = 0;
  friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};
// "6.1.0-18-amd64", "4.8"; 0.0 for what is none.
KernelVersion parse_kernel_version(std::string_view text);
KernelVersion running_kernel();

// A regular file of 1 MiB at most. A FIFO or a device is refused, and never waited for.
Result<std::string> read_profile(const std::string& path);

// What it gives must not be used when `problems` has got an error.
SeccompFile parse_seccomp_file(std::string_view text, const std::string& path,
                               const KernelVersion& kernel, Problems& problems);

}  // namespace jaula::spec
