#include "runtime/plan/host_userland.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "runtime/base/file.h"

namespace jaula::plan {
namespace {

// Since the merge of /usr the second to last are links to it, on older systems directories.
constexpr const char* kTrees[] = {"/usr",   "/bin",   "/sbin",   "/lib",
                                  "/lib64", "/lib32", "/libx32", "/opt"};

constexpr const char* kEtc[] = {"/etc/alternatives",    "/etc/ca-certificates.conf",
                                "/etc/debian_version",  "/etc/group",
                                "/etc/host.conf",       "/etc/ld.so.cache",
                                "/etc/ld.so.conf",      "/etc/ld.so.conf.d",
                                "/etc/locale.alias",    "/etc/localtime",
                                "/etc/mime.types",      "/etc/nsswitch.conf",
                                "/etc/os-release",      "/etc/passwd",
                                "/etc/protocols",       "/etc/rpc",
                                "/etc/services",        "/etc/ssl/certs",
                                "/etc/ssl/openssl.cnf", "/etc/terminfo",
                                "/etc/timezone"};

constexpr std::size_t kMaxCopy = std::size_t{4} << 20;

// A link is kept as a link only when it leads into what the jail has too.
bool leads_into_usr(std::string_view text) {
  return text.starts_with("/usr/") || text.starts_with("usr/") || text.starts_with("../usr/");
}

void probe(const char* path, std::vector<UserlandEntry>& found) {
  using Kind = UserlandEntry::Kind;
  struct stat info;
  if (::lstat(path, &info) < 0) return;
  if (S_ISLNK(info.st_mode)) {
    char text[PATH_MAX];
    const ssize_t size = ::readlink(path, text, sizeof text);
    if (size <= 0) return;
    const std::string_view target(text, static_cast<std::size_t>(size));
    if (leads_into_usr(target)) {
      found.push_back({Kind::kLink, path, std::string(target)});
      return;
    }
    if (::stat(path, &info) < 0) return;
  }
  if (S_ISDIR(info.st_mode)) {
    found.push_back({Kind::kTree, path, {}});
  } else if (S_ISREG(info.st_mode)) {
    Result<std::string> bytes = read_file(path, kMaxCopy);
    if (bytes) found.push_back({Kind::kCopy, path, std::move(*bytes)});
  }
}

}  // namespace

std::vector<UserlandEntry> probe_userland() {
  std::vector<UserlandEntry> found;
  for (const char* path : kTrees) probe(path, found);
  for (const char* path : kEtc) probe(path, found);
  return found;
}

}  // namespace jaula::plan
