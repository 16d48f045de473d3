// ${VARIABLES} in values, and the files that define some. Parent side; tables in environ(7).
// The rules are those of the Compose Specification's "Interpolation" and "env_file".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec/place.h"

namespace jaula::spec {

constexpr std::size_t kMaxNesting = 16;  // of defaults in defaults

// The process environment, and below it what files define.
class Variables {
 public:
  Variables() = default;
  // Looks in `outer` first. It must live as long.
  explicit Variables(const Variables* outer) : outer_(outer) {}

  void set(std::string name, std::string value);
  [[nodiscard]] std::optional<std::string> find(std::string_view name) const;

 private:
  const Variables* outer_ = nullptr;
  std::map<std::string, std::string, std::less<>> values_;
};

struct Interpolation {
  std::string text;
  std::string error;               // set: text means nothing
  std::vector<std::string> unset;  // variables without a value or a default; they become empty
};

// At most `max` bytes come out; more is an error.
Interpolation interpolate(std::string_view text, const Variables& variables, std::size_t max);

// A file of NAME=value lines: comments, `export`, quotes, variables. A name without `=` takes its
// value from `variables`, and is nullopt when there is none.
struct EnvFile {
  std::vector<std::pair<std::string, std::optional<std::string>>> entries;
  std::vector<Misread> errors;
  std::vector<Misread> warnings;  // variables that are not set
};
EnvFile parse_env_file(std::string_view text, const Variables& variables);

}  // namespace jaula::spec
