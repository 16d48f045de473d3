// What one load of a spec shares: where it comes from, and what was found wrong so far.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/spec/characters.h"
#include "runtime/spec/interpolate.h"
#include "runtime/spec/node.h"
#include "runtime/spec/service_spec.h"

namespace jaula::spec {

class Problems {
 public:
  // What goes beyond a hundred of a kind is dropped: nobody reads it, and a hostile file must not
  // make us write it.
  void add(Origin origin, std::string text, bool warning = false);
  [[nodiscard]] bool full(bool warning = false) const {
    return (warning ? warnings_ : errors_) >= kEnough;
  }
  // Flags first, then `file` by line, then other files.
  std::vector<Problem> sorted(std::string_view file) &&;

 private:
  static constexpr std::size_t kEnough = 100;
  std::vector<Problem> list_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

struct Context {
  const LoadOptions& options;
  std::string file;       // as it is printed; empty without a file
  std::string directory;  // where its relative paths start; empty: the working directory
  Variables variables;
  Problems problems;
  std::vector<FileObject> configs = {}, secrets = {};  // of the file, for its services
  std::size_t text_left = kMaxTextBytes;               // what variables and env files may still add

  [[nodiscard]] Origin origin(const Place& place, const Path& path) const;
  // `path` as an absolute one: `~` is the home directory, relative paths start at the directory of
  // the file, or of the flags when `place` is in one.
  [[nodiscard]] Result<std::string> absolute(std::string_view path, const Place& place) const;
  // "; did you mean `x`?", or nothing when no candidate is near.
  [[nodiscard]] std::string did_you_mean(std::string_view word,
                                         std::span<const std::string_view> candidates) const;
};

// The bytes of a file of the user, or of standard input for "-".
Result<std::string> read_input(const std::string& path);

// Without empty and `.` components. `..` stays: what it means is for the kernel to say.
std::string normalised(std::string_view absolute_path);

}  // namespace jaula::spec
