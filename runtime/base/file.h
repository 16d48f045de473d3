// Whole small files. Parent side only: they allocate.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace jaula {

constexpr std::size_t kMaxFileSize = std::size_t{1} << 20;

// The bytes of a regular file (or of procfs and the like), at most `max`; more is EFBIG, a
// directory EISDIR. `path` is relative to `dir` (AT_FDCWD for the working directory).
Result<std::string> read_file_at(int dir, const std::string& path, std::size_t max = kMaxFileSize);
Result<std::string> read_file(const std::string& path, std::size_t max = kMaxFileSize);
// "" for what cannot be read: a fact that a host may lack.
std::string read_or_empty(const std::string& path, std::size_t max = kMaxFileSize);
Result<std::string> read_fd(int fd, std::string_view name, std::size_t max = kMaxFileSize);

// Readers see the old bytes or the new ones, never a part: temporary name, then rename(2).
Result<void> replace_file_at(int dir, const std::string& name, std::string_view bytes);

// mkdir -p, each new directory with `mode`.
Result<void> make_directories(const std::string& path, mode_t mode);

}  // namespace jaula
