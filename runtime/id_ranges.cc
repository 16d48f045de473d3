#include "runtime/id_ranges.h"

#include <errno.h>
#include <fcntl.h>
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

constexpr const char* kLinks = ".ids";

bool intersect(std::uint64_t first, std::uint64_t count, std::uint64_t base, std::uint64_t size) {
  return first < base + size && base < first + count;
}

// What the link says; empty when there is none.
std::string holder_of(int directory, const std::string& link) {
  char name[256];
  const ssize_t size = ::readlinkat(directory, link.c_str(), name, sizeof name);
  return size < 0 ? std::string() : std::string(name, static_cast<std::size_t>(size));
}

Result<bool> make_link(int run, const std::string& name, const std::string& link) {
  if (::symlinkat(name.c_str(), run, link.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  return Error(errno, "take host ids: make link ", link);
}

// Two processes that find the same stale link must not both replace it, nor may one replace the
// link that the other has just made: only the holder of the lock unlinks a foreign link.
Result<bool> take_over(int run, const std::string& name, const std::string& link) {
  const Fd ids = TRY(sys::openat(run, kLinks, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  while (::flock(ids.get(), LOCK_EX) < 0)
    if (errno != EINTR) return Error(errno, "lock ", kLinks);
  const std::string holder = holder_of(run, link);
  if (holder == name) return true;  // left by an earlier jail of this name
  if (!holder.empty() && ::faccessat(run, holder.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    return false;
  ::unlinkat(run, link.c_str(), 0);
  return make_link(run, name, link);
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

Result<bool> claim_id_range(int run, const std::string& name, std::uint32_t base) {
  const std::string link = std::string(kLinks) + '/' + std::to_string(base);
  Result<bool> made = make_link(run, name, link);
  if (!made && made.error().code() == ENOENT) {
    const Result<void> directory = sys::mkdirat(run, kLinks, 0700);
    if (!directory && directory.error().code() != EEXIST) return directory.error();
    made = make_link(run, name, link);
  }
  if (!made || *made) return made;
  return take_over(run, name, link);
}

Result<void> release_id_range(int directory, const std::string& name,
                              std::optional<std::uint32_t> base) {
  const std::string links = std::string("../") + kLinks;
  // A removal that was cut off may have given the range back already, and another jail may have it.
  const auto release = [&](const std::string& entry) {
    const std::string link = links + '/' + entry;
    if (holder_of(directory, link) == name) ::unlinkat(directory, link.c_str(), 0);
  };
  if (base) {
    if (*base != 0) release(std::to_string(*base));
    return {};
  }
  const Result<Fd> ids = sys::openat(directory, links.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!ids && ids.error().code() == ENOENT) return {};
  if (!ids) return ids.error();
  const std::vector<DirectoryEntry> entries = TRY(list_directory(ids->get(), kLinks));
  for (const DirectoryEntry& entry : entries) release(entry.name);
  return {};
}

}  // namespace jaula
