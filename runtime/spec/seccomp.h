// A filter of system calls, in the words of the OCI runtime specification (`linux.seccomp`), and
// what may stand in a spec in its place. config-linux.md of the specification, docs/spec.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jaula::spec {

enum class SeccompAction : std::uint8_t { kKillThread, kKillProcess, kTrap, kErrno, kLog, kAllow };
enum class SeccompOperator : std::uint8_t {
  kNotEqual,
  kLess,
  kLessOrEqual,
  kEqual,
  kGreaterOrEqual,
  kGreater,
  kMaskedEqual,  // (argument & value) == (value_two & value)
};
enum class SeccompFlag : std::uint8_t { kLog, kSpecAllow };

struct SeccompArgument {
  std::uint32_t index = 0;  // 0 to 5
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::kEqual;
};

struct SeccompRule {
  std::vector<std::string> names;
  SeccompAction action = SeccompAction::kAllow;
  std::optional<std::uint32_t> errno_ret = {};  // of kErrno; EPERM without it
  std::vector<SeccompArgument> args = {};       // all of them hold, or the rule does not
};

// Complete: nothing depends on capabilities, an architecture or a kernel any more. Of a call's
// rules the first that holds decides; those without arguments come after those with.
struct SeccompConfig {
  SeccompAction default_action = SeccompAction::kErrno;
  // Without it a call that jaula knows is EPERM, and any other ENOSYS.
  std::optional<std::uint32_t> default_errno_ret = {};
  std::optional<std::vector<SeccompFlag>> flags = {};  // absent: kSpecAllow
  std::vector<SeccompRule> syscalls = {};
};

// A rule of a profile's file, where capabilities may decide whether it is there (docker's
// `includes` and `excludes`). Bit n is capability n.
struct SeccompFileRule {
  SeccompRule rule;
  std::uint64_t needs = 0;    // all of these must be in the jail's bounding set
  std::uint64_t without = 0;  // none of these may be
};

struct SeccompFile {
  std::string path;      // absolute
  SeccompConfig config;  // without its rules
  std::vector<SeccompFileRule> rules;
};

// `{allow: [...], deny: [...], mode: log}`.
struct SeccompEntry {
  std::string name;    // a call, a @group, or a profile of ours
  bool whole = false;  // written as a mapping: what it says is all that counts
  std::vector<SeccompArgument> args = {};
};

struct SeccompLists {
  std::optional<std::vector<SeccompEntry>> allow;  // absent: what `default` lets through
  std::vector<std::string> deny;
  bool log = false;
};

enum class SeccompProfile : std::uint8_t { kDefault, kStrict, kUnconfined, kFile, kLists };

struct Seccomp {
  SeccompProfile profile = SeccompProfile::kDefault;
  SeccompFile file = {};    // kFile
  SeccompLists lists = {};  // kLists
};

}  // namespace jaula::spec
