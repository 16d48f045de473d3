// The default profile of a native jail, as data: what docs/security.md lists. Parent side.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string_view>

namespace jaula::plan {

inline constexpr std::string_view kDefaultCapabilities[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID",
    "CAP_KILL",  "CAP_SETGID",       "CAP_SETUID"};

inline constexpr int kStopSignal = SIGTERM;
inline constexpr std::chrono::milliseconds kStopGracePeriod{10'000};

inline constexpr std::uint64_t kDefaultPids = 2048;
inline constexpr std::uint64_t kDefaultShmSize = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kStrictPids = 256;

// Hidden: what tells of, or reaches into, the machine beyond the jail.
inline constexpr std::string_view kMaskedPaths[] = {
    "/proc/acpi",        "/proc/asound",         "/proc/config.gz",
    "/proc/interrupts",  "/proc/kallsyms",       "/proc/kcore",
    "/proc/keys",        "/proc/kmsg",           "/proc/kpagecgroup",
    "/proc/kpagecount",  "/proc/kpageflags",     "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi",           "/proc/slabinfo",
    "/proc/timer_list",  "/proc/vmallocinfo",    "/sys/devices/virtual/powercap",
    "/sys/firmware",     "/sys/fs/bpf",          "/sys/fs/pstore",
    "/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing"};

inline constexpr std::string_view kReadOnlyPaths[] = {"/proc/bus", "/proc/fs", "/proc/irq",
                                                      "/proc/sys", "/proc/sysrq-trigger"};

inline constexpr std::string_view kPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace jaula::plan
