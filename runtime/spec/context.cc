#include "runtime/spec/context.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace jaula::spec {
namespace {

Result<std::string> working_directory() {
  char path[PATH_MAX];
  if (::getcwd(path, sizeof path) == nullptr) return Error(errno, "the working directory");
  return std::string(path);
}

}  // namespace

void Problems::add(Origin origin, std::string text, bool warning) {
  std::size_t& count = warning ? warnings_ : errors_;
  if (count >= kEnough) return;
  ++count;
  list_.push_back({.origin = std::move(origin), .text = std::move(text), .warning = warning});
}

std::vector<Problem> Problems::sorted(std::string_view file) && {
  const auto rank = [&](const Problem& problem) {
    const Origin& origin = problem.origin;
    const bool elsewhere = origin.line > 0 && origin.file != file;
    return std::tuple(origin.line > 0, elsewhere, elsewhere ? std::string_view(origin.file) : "",
                      origin.line, origin.column);
  };
  std::stable_sort(list_.begin(), list_.end(),
                   [&](const Problem& a, const Problem& b) { return rank(a) < rank(b); });
  return std::move(list_);
}

Origin Context::origin(const Place& place, const Path& path) const {
  if (place.flag < 0) return {file, place.line, place.column, path.text()};
  const Override& given = options.overrides[static_cast<std::size_t>(place.flag)];
  // One flag that may stand for any key; the others stand for one.
  const bool any_key = given.flag == "--set";
  return {any_key ? given.flag + ' ' + given.key : given.flag, 0, 0, path.text()};
}

Result<std::string> Context::absolute(std::string_view path, const Place& place) const {
  if (path.starts_with('/')) return normalised(path);
  if (path == "~" || path.starts_with("~/")) {
    const std::optional<std::string> home = variables.find("HOME");
    if (!home || !home->starts_with('/')) return Error(0, "HOME is not set to an absolute path");
    return normalised(*home + '/' + std::string(path.substr(1)));
  }
  std::string start = place.flag < 0 ? directory : options.directory;
  if (!start.starts_with('/')) start = TRY(working_directory()) + '/' + start;
  return normalised(start + '/' + std::string(path));
}

Result<std::string> read_input(const std::string& path) {
  if (path == "-") return read_fd(STDIN_FILENO, "standard input");
  // Not read_file: a pipe (`<(…)` of a shell) is a fair place for a spec, and is waited for.
  const Fd file = TRY(sys::open(path.c_str(), O_RDONLY | O_NOCTTY));
  return read_fd(file.get(), path);
}

std::string Context::did_you_mean(std::string_view word,
                                  std::span<const std::string_view> candidates) const {
  constexpr std::size_t kLongestWord = 64;
  if (word.size() > kLongestWord || problems.full()) return {};
  const std::string_view best = nearest(word, candidates);
  return best.empty() ? std::string() : "; did you mean `" + std::string(best) + "`?";
}

std::string normalised(std::string_view absolute_path) {
  std::string out;
  for (const std::string_view part : split(absolute_path, '/'))
    if (!part.empty() && part != ".") out.append("/").append(part);
  return out.empty() ? "/" : out;
}

}  // namespace jaula::spec
