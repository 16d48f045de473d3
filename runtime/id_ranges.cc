#include "runtime/id_ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/tree.h"

namespace jaula {
namespace {

constexpr std::size_t kMaxIdFile = std::size_t{16} << 20;

bool intersect(std::uint64_t first, std::uint64_t count, std::uint64_t base, std::uint64_t size) {
  return first < base + size && base < first + count;
}

}  // namespace

Result<HostIds> HostIds::load(const IdSources& sources) {
  HostIds ids;
  TRY(ids.add(sources.passwd, 2, 0));
  TRY(ids.add(sources.group, 2, 0));
  TRY(ids.add(sources.subuid, 1, 2));
  TRY(ids.add(sources.subgid, 1, 2));
  return ids;
}

Result<void> HostIds::add(const std::string& path, std::size_t first, std::size_t count) {
  const Result<std::string> text = read_file(path, kMaxIdFile);
  if (!text && text.error().code() == ENOENT) return {};
  if (!text) return text.error();
  for (const std::string_view line : split(*text, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() <= std::max(first, count)) continue;
    // Lines that shadow-utils would not take either (NIS's "+::::") give no ids.
    const auto id = parse_decimal(fields[first], UINT32_MAX);
    const auto size = count == 0 ? 1 : parse_decimal(fields[count], UINT32_MAX);
    if (id && size &&
        intersect(*id, *size, kFirstIdBase, kLastIdBase + kIdRangeSize - kFirstIdBase))
      ranges_.push_back({.first = *id, .count = *size});
  }
  return {};
}

bool HostIds::overlap(std::uint32_t base) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [base](const Range& range) {
    return intersect(range.first, range.count, base, kIdRangeSize);
  });
}

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::uint32_t preferred_id_base(std::string_view name) {
  return kFirstIdBase + static_cast<std::uint32_t>(stable_hash(name) % kIdSlots) * kIdRangeSize;
}

std::uint32_t nth_id_base(std::uint32_t preferred, std::uint32_t n) {
  const std::uint32_t slot = (preferred - kFirstIdBase) / kIdRangeSize;
  return kFirstIdBase + (slot + n) % kIdSlots * kIdRangeSize;
}

Result<IdClaims> IdClaims::open(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  Result<Fd> directory = sys::open(path.c_str(), kFlags);
  if (!directory && directory.error().code() == ENOENT) {
    TRY(make_directories(path, 0700));
    directory = sys::open(path.c_str(), kFlags);
  }
  if (!directory) return directory.error();
  return IdClaims(std::move(*directory));
}

// What the link says; empty when there is none.
std::string IdClaims::holder_of(const std::string& link) const {
  char path[PATH_MAX];
  const ssize_t size = ::readlinkat(directory_.get(), link.c_str(), path, sizeof path);
  return size < 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

Result<bool> IdClaims::make_link(const std::string& jail, const std::string& link) const {
  if (::symlinkat(jail.c_str(), directory_.get(), link.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  return Error(errno, "take host ids: make link ", link);
}

// Two processes that find the same stale link must not both replace it, nor may one replace the
// link that the other has just made: only the holder of the lock unlinks a foreign link.
Result<bool> IdClaims::take_over(const std::string& jail, const std::string& link) const {
  // A description of its own: the lock ends with it.
  const Fd lock = TRY(sys::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY));
  while (::flock(lock.get(), LOCK_EX) < 0)
    if (errno != EINTR) return Error(errno, "lock the claims of host ids");
  const std::string holder = holder_of(link);
  if (holder == jail) return true;  // left by an earlier jail of this name
  // Whatever cannot be looked at may live.
  const int there = holder.empty()
                        ? -1
                        : ::faccessat(directory_.get(), holder.c_str(), F_OK, AT_SYMLINK_NOFOLLOW);
  if (!holder.empty() && (there == 0 || (errno != ENOENT && errno != ENOTDIR))) return false;
  ::unlinkat(directory_.get(), link.c_str(), 0);
  return make_link(jail, link);
}

Result<bool> IdClaims::claim(const std::string& jail, std::uint32_t base) const {
  const std::string link = std::to_string(base);
  const Result<bool> made = make_link(jail, link);
  if (!made || *made) return made;
  return take_over(jail, link);
}

Result<void> IdClaims::release(const std::string& jail, std::optional<std::uint32_t> base) const {
  // A removal that was cut off may have given the range back already, and another jail may have it.
  const auto release = [&](const std::string& link) {
    if (holder_of(link) == jail) ::unlinkat(directory_.get(), link.c_str(), 0);
  };
  if (base) {
    release(std::to_string(*base));
    return {};
  }
  const std::vector<DirectoryEntry> entries =
      TRY(list_directory(directory_.get(), "the claims of host ids"));
  for (const DirectoryEntry& entry : entries) release(entry.name);
  return {};
}

}  // namespace jaula
