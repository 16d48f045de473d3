#include "runtime/state_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <system_error>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/exit_file.h"
#include "runtime/tree.h"

namespace jaula {
namespace {

std::string environment(const char* name) {
  const char* value = ::getenv(name);  // NOLINT(concurrency-mt-unsafe): there are no threads
  return value != nullptr && value[0] == '/' ? value : "";
}

Result<void> check_name(const std::string& name) {
  if (spec::is_name(name)) return {};
  return Error(0, "\"", escaped(name), "\" cannot be the name of a jail")
      .hint(
          "a name is up to 64 letters, digits, `_`, `.` and `-`, and starts with a letter or "
          "digit");
}

// Nobody else may put names into a directory whose names are our records.
Result<void> make_private(int fd, const std::string& path) {
  const struct stat info = TRY(sys::fstat(fd));
  if (info.st_uid != ::geteuid())
    return Error(EPERM, "use ", path).hint("it belongs to user ", info.st_uid, "; see --root");
  // Nor is it changed to fit: what has another mode was not made by us.
  if ((info.st_mode & 0077) != 0)
    return Error(EPERM, "use ", path)
        .hint(
            "others have access to it, so jaula has not made it; give another --root, or look at "
            "what is in it and chmod it to 0700");
  return {};
}

}  // namespace

Roots roots_for(const std::string& root_option) {
  if (!root_option.empty()) {
    // One directory has one name, however it was typed: host ids and cgroups are known by it.
    std::error_code failed;
    const auto here = std::filesystem::absolute(root_option, failed);
    std::string root = std::filesystem::weakly_canonical(here, failed).string();
    if (failed) root = root_option;
    while (root.ends_with('/')) root.pop_back();
    return {.run = root + "/run", .data = root + "/data"};
  }
  if (::geteuid() == 0) return {.run = "/run/jaula", .data = "/var/lib/jaula"};
  std::string run = environment("XDG_RUNTIME_DIR");
  std::string data = environment("XDG_DATA_HOME");
  // Where pam_systemd puts it, for a shell that came without the variable (su, cron).
  if (run.empty()) run = "/run/user/" + std::to_string(::geteuid());
  // Without a home the logs go where they are lost at the end of the session, not nowhere.
  if (data.empty())
    data = environment("HOME").empty() ? run : environment("HOME") + "/.local/share";
  return {.run = run + "/jaula", .data = data + (data == run ? "/jaula-data" : "/jaula")};
}

Result<int> StateStore::run_directory() const {
  if (run_) return run_.get();
  Fd run = TRY(sys::open(roots_.run.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(make_private(run.get(), roots_.run));
  run_ = std::move(run);
  return run_.get();
}

JailDirectory StateStore::directory_of(const std::string& name) const {
  JailDirectory jail;
  jail.name_ = name;
  jail.path_ = roots_.run + '/' + name;
  jail.log_path_ = roots_.data + '/' + name;
  jail.ids_path_ = roots_.ids;
  return jail;
}

Result<JailDirectory> StateStore::create(const std::string& name) {
  TRY(check_name(name));
  Result<int> run = run_directory();
  if (!run && run.error().code() == ENOENT) {
    Result<void> made = make_directories(roots_.run, 0700);
    if (!made) return made.error().hint("see XDG_RUNTIME_DIR and --root");
    run = run_directory();
  }
  if (!run) return run.error();
  JailDirectory jail = directory_of(name);
  for (;;) {
    const Result<void> made = sys::mkdirat(*run, name.c_str(), 0700);
    if (!made && made.error().code() != EEXIST) return Error(made.error()).in(roots_.run, ": ");
    Result<bool> settled = made ? jail.settle(*run) : made.error();
    if (settled && *settled) return jail;
    if (settled) continue;
    if (settled.error().code() == EEXIST) {
      Error taken(EEXIST, "the name ", name, " is in use");
      taken.hint("remove that jail with `jaula rm -f ", name, "`, or give another --name");
      return taken.self_explaining();
    }
    // Nothing is left behind; what another process put there meanwhile keeps it.
    ::unlinkat(*run, name.c_str(), AT_REMOVEDIR);
    return settled.error().in(jail.path_, ": ");
  }
}

Result<JailDirectory> StateStore::open(const std::string& name) const {
  TRY(check_name(name));
  JailDirectory jail = directory_of(name);
  const Result<int> run = run_directory();
  if (!run && run.error().code() != ENOENT) return run.error();
  Result<Fd> directory = Error(ENOENT, "");
  if (run) directory = sys::openat(*run, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (directory) {
    jail.directory_ = std::move(*directory);
    return jail;
  }
  if (directory.error().code() != ENOENT)
    return Error(directory.error().code(), "open ", jail.path_);
  Error missing(ENOENT, "there is no jail ", name);
  missing.self_explaining();
  const Result<std::vector<std::string>> others = names();
  if (!others) return missing;
  const std::vector<std::string_view> candidates(others->begin(), others->end());
  const std::string_view near = nearest(name, candidates);
  return near.empty() ? missing : missing.hint("did you mean `", near, "`?");
}

Result<std::vector<std::string>> StateStore::names() const {
  std::vector<std::string> names = TRY(claimed_names());
  // What has no exit file is a jail that is being made at this moment, or was never one.
  std::erase_if(names, [&](const std::string& name) { return !is_record(run_.get(), name); });
  return names;
}

Result<std::vector<std::string>> StateStore::claimed_names() const {
  std::vector<std::string> names;
  const Result<int> run = run_directory();
  if (!run && run.error().code() == ENOENT) return names;
  if (!run) return run.error();
  std::vector<DirectoryEntry> entries = TRY(list_directory(*run, roots_.run));
  for (DirectoryEntry& entry : entries) {
    const bool directory = entry.type == DT_DIR || entry.type == DT_UNKNOWN;
    if (directory && spec::is_name(entry.name)) names.push_back(std::move(entry.name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::uint32_t> StateStore::take_id_range(JailDirectory& jail) const {
  const IdClaims claims = TRY(IdClaims::open(roots_.ids));
  const HostIds host = TRY(HostIds::load(id_sources_));
  const std::uint32_t preferred = preferred_id_base(jail.name_);
  for (std::uint32_t n = 0; n < kIdSlots; ++n) {
    const std::uint32_t base = nth_id_base(preferred, n);
    if (host.overlap(base)) continue;
    const bool claimed = TRY(claims.claim(jail.path_, base));
    if (!claimed) continue;
    jail.id_base_ = base;
    return base;
  }
  return Error(0, "all ", kIdSlots, " ranges of host ids for jails are taken")
      .hint("see ", roots_.ids, " and /etc/subuid");
}

Result<void> StateStore::take_mapped_ids(JailDirectory& jail,
                                         const spec::JailConfig& config) const {
  constexpr std::size_t kMost = 256;
  std::set<std::uint32_t> bases;
  for (const auto* mappings : {&config.uid_mappings, &config.gid_mappings})
    for (const spec::IdMapping& mapping : *mappings) {
      const std::uint64_t end = std::uint64_t{mapping.host_id} + mapping.size;
      std::uint64_t base = std::max(mapping.host_id / kIdRangeSize * kIdRangeSize, kFirstIdBase);
      for (; base < end && base <= kLastIdBase && bases.size() <= kMost; base += kIdRangeSize)
        bases.insert(static_cast<std::uint32_t>(base));
    }
  if (bases.empty()) return {};
  if (bases.size() > kMost)
    return Error(0, "a map may reach into at most ", kMost, " of the ranges of jails, from ",
                 kFirstIdBase, " on");
  const IdClaims claims = TRY(IdClaims::open(roots_.ids));
  jail.maps_ids_ = true;
  for (const std::uint32_t base : bases)
    if (!TRY(claims.claim(jail.path_, base)))
      return Error(0, "host ids ", base, " to ", base + kIdRangeSize - 1,
                   " are those of another jail")
          .hint("`ls -l ", roots_.ids, "` says whose; map others");
  return {};
}

std::string StateStore::cgroup_name(const std::string& name) const {
  if (roots_.run == roots_for("").run) return name;
  char suffix[16];
  // A sign that no name has, so that no jail of another directory is called like this.
  std::snprintf(suffix, sizeof suffix, "@%08x",
                static_cast<unsigned>(stable_hash(roots_.run) & 0xffffffff));
  return name + suffix;
}

}  // namespace jaula
