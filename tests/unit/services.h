// A service from keys of a spec, on the way that `jaula run web.yaml` takes.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/plan/lower.h"
#include "tests/unit/scratch.h"

namespace jaula::test {

inline const plan::UserDatabase kAccounts{.passwd =
                                              "root:x:0:0:root:/root:/bin/sh\n"
                                              "web:x:33:34::/var/www:/bin/false\n",
                                          .group = "root:x:0:\nwww:x:34:\nmedia:x:60:web\n"};

class Services {
 public:
  // `keys` are lines of the service, from the fourth of the file on.
  [[nodiscard]] plan::Lowered lower(const std::string& keys) const {
    put_file(scratch_ / "web.yaml",
             "services:\n  web:\n    command: [httpd, -f]\n" + indented(keys));
    const spec::SpecFile file = spec::load_spec(scratch_ / "web.yaml", {});
    for (const spec::Problem& problem : file.problems) MESSAGE(problem.line());
    REQUIRE(file.ok());
    return plan::to_jail_config(file.services[0], "web-1", kAccounts);
  }
  // The same with `rootfs: host`, without a problem.
  [[nodiscard]] spec::JailConfig config(const std::string& keys = "") const {
    plan::Lowered lowered = lower("rootfs: host\n" + keys);
    CHECK_EQ(problems(lowered.problems), "");
    return std::move(lowered.config);
  }
  // A line for each, the name of the file without its directory.
  [[nodiscard]] std::string problems(const std::vector<Error>& errors) const {
    std::string text;
    for (const Error& error : errors) text += said(Result<void>(error)) + "\n";
    return without_directory(std::move(text));
  }
  [[nodiscard]] std::string without_directory(std::string text) const {
    const std::string prefix = scratch_ / "";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }
  [[nodiscard]] const Scratch& scratch() const { return scratch_; }

 private:
  static std::string indented(const std::string& keys) {
    std::string text;
    for (const std::string_view line : split(keys, '\n'))
      if (!line.empty()) text.append("    ").append(line).append("\n");
    return text;
  }

  Scratch scratch_;
};

inline std::string joined(const std::vector<std::string>& words, const char* between = " ") {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

}  // namespace jaula::test
