// Which 65,536 host ids a jail with a user namespace of its own may have. Every jail has other
// ones, so that nothing of one jail is owned by an id of another. Parent side. subuid(5),
// systemd.io/UIDS-GIDS (the container range)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace jaula {

constexpr std::uint32_t kIdRangeSize = 65536;
constexpr std::uint32_t kFirstIdBase = 0x00080000;  // 524288
constexpr std::uint32_t kLastIdBase = 0x6FFF0000;   // 1878982656
constexpr std::uint32_t kIdSlots = (kLastIdBase - kFirstIdBase) / kIdRangeSize + 1;

// Where a host says which ids it has given away; data, so that tests can give files of their own.
struct IdSources {
  std::string passwd = "/etc/passwd";
  std::string group = "/etc/group";
  std::string subuid = "/etc/subuid";
  std::string subgid = "/etc/subgid";
};

// Ids of the container range that are taken; only those are kept.
class HostIds {
 public:
  static Result<HostIds> load(const IdSources& sources);
  [[nodiscard]] bool overlap(std::uint32_t base) const;

 private:
  struct Range {
    std::uint64_t first, count;
  };
  // Lines of fields between colons. `count` is the index of that field, 0: one id a line.
  Result<void> add(const std::string& path, std::size_t first, std::size_t count);
  std::vector<Range> ranges_;
};

// The base at which the search for `name` starts, so that a jail finds its own files again. The
// nth base is the one n slots further on, round the end of the container range.
std::uint32_t preferred_id_base(std::string_view name);
std::uint32_t nth_id_base(std::uint32_t preferred, std::uint32_t n);

std::uint64_t stable_hash(std::string_view text);  // FNV-1a: the same in every build

// The directory of links BASE -> DIRECTORY that say which jail has the ids from BASE on. There is
// one on a host, whatever the jails' state directories are: two of them must not share ids.
class IdClaims {
 public:
  static Result<IdClaims> open(const std::string& path);  // made where it is missing

  // Takes a range for the jail whose record is `jail`, an absolute path: true when it is ours. A
  // link to a jail that is gone is replaced.
  [[nodiscard]] Result<bool> claim(const std::string& jail, std::uint32_t base) const;
  // Gives back the jail's range, or, when its base is not known, all that links say are its.
  [[nodiscard]] Result<void> release(const std::string& jail,
                                     std::optional<std::uint32_t> base) const;

 private:
  explicit IdClaims(Fd directory) : directory_(std::move(directory)) {}
  [[nodiscard]] Result<bool> make_link(const std::string& jail, const std::string& link) const;
  [[nodiscard]] Result<bool> take_over(const std::string& jail, const std::string& link) const;
  [[nodiscard]] std::string holder_of(const std::string& link) const;

  Fd directory_;
};

}  // namespace jaula
