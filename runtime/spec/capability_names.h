// The capabilities of the kernel by name, without CAP_. A start reads them several times, so they
// are a list of ours; a test compares it with libcap's. capabilities(7)
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace jaula::spec {

inline constexpr std::array<std::string_view, 41> kCapabilityNames = {  // by number
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE"};

inline bool is_capability(std::string_view name) {
  return std::find(kCapabilityNames.begin(), kCapabilityNames.end(), name) !=
         kCapabilityNames.end();
}

}  // namespace jaula::spec
