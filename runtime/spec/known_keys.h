// Keys of the vocabulary that are not read yet: a spec that has one is told so, by name.
#pragma once

#include <string_view>

namespace jaula::spec {

// The Compose Specification's keys of a file.
inline constexpr std::string_view kLaterTopLevelKeys[] = {"include", "models", "networks",
                                                          "volumes"};

// The Compose Specification's keys of a service.
inline constexpr std::string_view kLaterComposeKeys[] = {"annotations",
                                                         "attach",
                                                         "blkio_config",
                                                         "build",
                                                         "cgroup_parent",
                                                         "container_name",
                                                         "cpu_count",
                                                         "cpu_percent",
                                                         "cpu_period",
                                                         "cpu_quota",
                                                         "cpu_rt_period",
                                                         "cpu_rt_runtime",
                                                         "cpuset",
                                                         "credential_spec",
                                                         "depends_on",
                                                         "deploy",
                                                         "develop",
                                                         "device_cgroup_rules",
                                                         "domainname",
                                                         "expose",
                                                         "extends",
                                                         "external_links",
                                                         "gpus",
                                                         "healthcheck",
                                                         "image",
                                                         "isolation",
                                                         "label_file",
                                                         "links",
                                                         "logging",
                                                         "mac_address",
                                                         "mem_reservation",
                                                         "mem_swappiness",
                                                         "memswap_limit",
                                                         "models",
                                                         "networks",
                                                         "oom_kill_disable",
                                                         "platform",
                                                         "ports",
                                                         "post_start",
                                                         "pre_stop",
                                                         "profiles",
                                                         "provider",
                                                         "pull_policy",
                                                         "pull_refresh_after",
                                                         "restart",
                                                         "runtime",
                                                         "scale",
                                                         "stdin_open",
                                                         "storage_opt",
                                                         "tty",
                                                         "use_api_socket",
                                                         "volumes_from"};

// Ours.
inline constexpr std::string_view kLaterJailKeys[] = {
    "egress", "hooks", "listen", "notify", "on_unhealthy", "state", "tests", "watchdog"};

}  // namespace jaula::spec
