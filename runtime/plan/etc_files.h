// What a jail's /etc/hostname, /etc/hosts and /etc/resolv.conf say. hosts(5), resolv.conf(5).
// Parent side.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/spec/jail_config.h"

namespace jaula::plan {

struct EtcFile {
  const char* name;  // in /etc
  std::string content;
  std::string origin;  // the key that asks for it; empty: nobody does
};

// Without those that a mount of the spec's stands over. `own_network`: the host's resolv.conf says
// nothing about it.
std::vector<EtcFile> make_etc_files(const spec::JailConfig& config, bool own_network);

// Keys whose file would lie under a mount of the spec's.
std::vector<Error> check_etc_files(const spec::JailConfig& config);

}  // namespace jaula::plan
