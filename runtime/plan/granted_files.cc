#include "runtime/plan/granted_files.h"

#include <errno.h>
#include <fcntl.h>

#include <string>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"

namespace jaula::plan {
namespace {

Result<std::string> read_regular(const std::string& path) {
  // NONBLOCK: a FIFO in the place of the file must not hold us.
  const Fd file = TRY(sys::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const struct stat info = TRY(sys::fstat(file.get()));
  if (S_ISDIR(info.st_mode)) return Error(EISDIR, "read ", path);
  if (!S_ISREG(info.st_mode))
    return Error(0, path, " is not a regular file").hint("write it to one, or use `environment`");
  Result<std::string> bytes = read_fd(file.get(), path);
  if (!bytes && bytes.error().code() == EFBIG) return bytes.error().hint("mount it as a volume");
  return bytes;
}

}  // namespace

std::vector<Error> load_files(spec::JailConfig& config) {
  std::vector<Error> problems;
  for (spec::FileConfig& file : config.extra.files) {
    if (file.content) continue;
    if (file.from == spec::FileFrom::kEnvironment) {
      problems.push_back(Error(0, file.origin, ": the variable ", file.source, " is not set")
                             .hint("it holds the bytes of ", file.destination));
      continue;
    }
    Result<std::string> bytes = read_regular(file.source);
    if (bytes)
      file.content = *std::move(bytes);
    else
      problems.push_back(bytes.error().in(file.origin, ": "));
  }
  return problems;
}

void place_files(isolation::MountPlan& plan, const spec::JailConfig& config) {
  for (const spec::FileConfig& file : config.extra.files)
    plan.ops.push_back({.kind = isolation::MountOp::Kind::kPlace,
                        .target = file.destination.substr(1),
                        .file = {.name = std::to_string(plan.ops.size()),
                                 .content = file.content.value_or(""),
                                 .uid = file.uid,
                                 .gid = file.gid,
                                 .mode = file.mode,
                                 .read_only = true,
                                 .unswapped = true,
                                 .make = true},
                        .origin = file.origin});
}

}  // namespace jaula::plan
