# The config.json of the jail that crun and runc run: what floor does, in OCI terms.
# Arguments: $root $cgroup $machine $masked $read_only $syscalls
[{containerID: 0, hostID: 524288, size: 65536}] as $map
| ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID" | "CAP_" + .] as $caps
| ["nosuid", "nodev", "noexec"] as $safe
| {
    ociVersion: "1.0.2",
    hostname: "bench",
    root: {path: $root},
    process: {
      args: ["/bin/true"],
      cwd: "/",
      env: ["PATH=/usr/bin:/bin"],
      user: {uid: 0, gid: 0},
      noNewPrivileges: true,
      capabilities: {bounding: $caps, effective: $caps, permitted: $caps}
    },
    mounts: [
      {destination: "/proc", type: "proc", source: "proc", options: $safe},
      {destination: "/sys", type: "sysfs", source: "sysfs", options: ($safe + ["ro"])},
      {destination: "/dev", type: "tmpfs", source: "tmpfs",
        options: ["nosuid", "noexec", "mode=755", "size=64k"]},
      {destination: "/dev/pts", type: "devpts", source: "devpts",
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
      {destination: "/dev/shm", type: "tmpfs", source: "shm",
        options: ($safe + ["mode=1777", "size=64m"])},
      {destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: $safe}
    ],
    linux: {
      uidMappings: $map,
      gidMappings: $map,
      cgroupsPath: $cgroup,
      namespaces: ["user", "pid", "mount", "network", "ipc", "uts", "cgroup" | {type: .}],
      maskedPaths: $masked,
      readonlyPaths: $read_only,
      seccomp: {
        defaultAction: "SCMP_ACT_ERRNO",
        architectures: ["SCMP_ARCH_" + ($machine | ascii_upcase)],
        syscalls: [{names: $syscalls, action: "SCMP_ACT_ALLOW"}]
      }
    }
  }
