// The tree of a jail as a list: what is in it, in which order, and from where.
#include <doctest/doctest.h>
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/plan/mounts.h"
#include "runtime/plan/profile.h"
#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

using isolation::MountOp;
using isolation::MountPlan;
using isolation::RootPlan;
using Kind = MountOp::Kind;
using plan::MountFacts;
using plan::UserlandEntry;

constexpr std::uint64_t kNoExec = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

spec::JailConfig directory_config() {
  spec::JailConfig config;
  config.root_path = "/srv/rootfs";
  config.hostname = "web";
  config.extra.root_origin = "web.yaml:3:5";
  return config;
}

spec::JailConfig host_config() {
  spec::JailConfig config = directory_config();
  config.extra.root_kind = spec::RootKind::kHost;
  return config;
}

MountPlan make(const spec::JailConfig& config, const MountFacts& facts = {}) {
  return plan::make_mount_plan(config, {}, facts);
}

// Where the first operation on a target stands in the list; -1: nowhere.
int place(const MountPlan& plan, const std::string& target, Kind kind) {
  const auto found = std::ranges::find_if(
      plan.ops, [&](const MountOp& op) { return op.target == target && op.kind == kind; });
  return found == plan.ops.end() ? -1 : static_cast<int>(found - plan.ops.begin());
}

const MountOp& at(const MountPlan& plan, const std::string& target, Kind kind) {
  const int index = place(plan, target, kind);
  REQUIRE_MESSAGE(index >= 0, target);
  return plan.ops[static_cast<std::size_t>(index)];
}

std::string option(const MountOp& op, const std::string& name) {
  for (const auto& [key, value] : op.options)
    if (key == name) return value;
  return "none";
}

// The targets of a kind, in their order.
std::string targets(const MountPlan& plan, Kind kind) {
  std::string text;
  for (const MountOp& op : plan.ops)
    if (op.kind == kind) text += (text.empty() ? "" : " ") + op.target;
  return text;
}

}  // namespace

TEST_CASE("mount plan: of what a jail shares with the host it gets a copy, the masks over it") {
  spec::JailConfig config = directory_config();
  config.extra.ipc = spec::NamespaceMode::kHost;
  config.masked_paths = {"/proc/kcore"};
  const MountPlan plan =
      make(config, {.host_processes = true, .cgroup = false, .host_cgroups = "/sys/fs/cgroup"});
  for (const char* target : {"proc", "dev/shm", "sys/fs/cgroup"}) {
    CHECK_EQ(place(plan, target, Kind::kFileSystem), -1);
    const MountOp& op = at(plan, target, Kind::kBind);
    CHECK_EQ(op.source, std::string("/") + target);
    CHECK(op.recursive);
    CHECK(op.anchored);
    CHECK_EQ(op.attributes & kNoExec, kNoExec);
  }
  CHECK_NE(at(plan, "sys/fs/cgroup", Kind::kBind).attributes & MOUNT_ATTR_RDONLY, 0);
  CHECK_LT(place(plan, "proc", Kind::kBind), place(plan, "proc/kcore", Kind::kMask));
  config.extra.ipc = spec::NamespaceMode::kNone;
  CHECK_EQ(place(make(config), "dev/shm", Kind::kFileSystem), -1);
  CHECK_EQ(place(make(config), "dev/mqueue", Kind::kFileSystem), -1);
}

TEST_CASE("mount plan: the file systems of a jail are its own, each with what it must not allow") {
  const MountPlan plan = make(directory_config());
  CHECK_EQ(targets(plan, Kind::kFileSystem),
           "proc dev dev/pts dev/shm dev/mqueue sys sys/fs/cgroup");
  CHECK_EQ(at(plan, "proc", Kind::kFileSystem).attributes, kNoExec);
  CHECK_EQ(at(plan, "dev", Kind::kFileSystem).attributes, MOUNT_ATTR_NOSUID);
  CHECK_EQ(at(plan, "dev/shm", Kind::kFileSystem).attributes, kNoExec);
  for (const char* target : {"sys", "sys/fs/cgroup"})
    CHECK_EQ(at(plan, target, Kind::kFileSystem).attributes, kNoExec | MOUNT_ATTR_RDONLY);
  CHECK_EQ(targets(plan, Kind::kBind), "dev/null dev/zero dev/full dev/random dev/urandom dev/tty");
  CHECK_EQ(targets(plan, Kind::kSymlink), "dev/fd dev/stdin dev/stdout dev/stderr dev/ptmx");
}

TEST_CASE("mount plan: volumes come after the kernel's file systems, and before masks and locks") {
  const Scratch scratch;
  spec::JailConfig config = directory_config();
  config.mounts = {{"/proc/data", "bind", scratch.path(), {"rbind", "nosuid", "nodev", "ro"}, "v1"},
                   {"/tmp", "tmpfs", "tmpfs", {"nosuid", "mode=1777", "size=5", "ro"}, "v2"}};
  config.masked_paths = {"/proc/kcore", "/proc/keys"};
  config.readonly_paths = {"/proc/sys"};
  const MountPlan plan = make(config);
  const auto size = static_cast<int>(plan.ops.size());
  CHECK_GT(place(plan, "proc/data", Kind::kBind), place(plan, "sys/fs/cgroup", Kind::kFileSystem));
  CHECK_EQ(place(plan, "proc/data", Kind::kBind), size - 5);
  CHECK_EQ(place(plan, "tmp", Kind::kFileSystem), size - 4);
  CHECK_EQ(place(plan, "proc/kcore", Kind::kMask), size - 3);
  CHECK_EQ(place(plan, "proc/keys", Kind::kMask), size - 2);
  CHECK_EQ(place(plan, "proc/sys", Kind::kReadOnly), size - 1);

  const MountOp& bind = at(plan, "proc/data", Kind::kBind);
  CHECK_EQ(bind.attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  CHECK(bind.recursive);
  CHECK_FALSE(bind.source_is_file);
  CHECK_EQ(bind.origin, "v1");
  const MountOp& tmp = at(plan, "tmp", Kind::kFileSystem);
  CHECK_EQ(tmp.attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
  CHECK_EQ(option(tmp, "mode") + " " + option(tmp, "size"), "1777 5");
  const MountOp& locked = at(plan, "proc/sys", Kind::kReadOnly);
  CHECK(locked.recursive);
  CHECK_EQ(locked.attributes, kNoExec);
}

TEST_CASE("mount plan: what the spec hides or locks must be there, but for the kernel's files") {
  spec::JailConfig config = directory_config();
  config.masked_paths = {"/proc/keys", "/proc/net", "/data"};
  config.readonly_paths = {"/usr"};
  config.extra.mask_origins = {{"/proc/net", "m1"}, {"/data", "m2"}};
  config.extra.readonly_origins = {{"/usr", "r1"}};
  const MountPlan plan = make(config);
  const auto said = [&](const char* target, Kind kind) {
    const MountOp& op = at(plan, target, kind);
    return op.origin + (op.named ? " named" : "") + (op.optional ? " optional" : "");
  };
  CHECK_EQ(said("proc/keys", Kind::kMask), " optional");
  CHECK_EQ(said("proc/net", Kind::kMask), "m1 named optional");
  CHECK_EQ(said("data", Kind::kMask), "m2 named");
  CHECK_EQ(said("usr", Kind::kReadOnly), "r1 named");
  // Programs in it go on to run.
  CHECK_EQ(at(plan, "usr", Kind::kReadOnly).attributes, 0);
}

TEST_CASE("mount plan: a volume of a file, a FIFO or a socket mounts on a file") {
  const Scratch scratch;
  put_file(scratch / "file", "");
  REQUIRE_EQ(::mkfifo((scratch / "fifo").c_str(), 0600), 0);
  std::filesystem::create_symlink("file", scratch / "link");
  std::filesystem::create_symlink(".", scratch / "directory");
  spec::JailConfig config = directory_config();
  for (const char* name : {"file", "fifo", "link", "directory", "missing"})
    config.mounts.push_back({std::string("/") + name, "bind", scratch / name, {}, ""});
  const MountPlan plan = make(config);
  for (const char* name : {"file", "fifo", "link"})
    CHECK(at(plan, name, Kind::kBind).source_is_file);
  for (const char* name : {"directory", "missing"})
    CHECK_FALSE(at(plan, name, Kind::kBind).source_is_file);
}

TEST_CASE("mount plan: sysfs is new with a network of the jail's own, else the machine's, locked") {
  spec::JailConfig config = directory_config();
  config.masked_paths.assign(std::begin(plan::kMaskedPaths), std::end(plan::kMaskedPaths));
  const std::string empty = "sys/kernel/tracing";  // a mount point: in a new sysfs nothing is there
  struct Row {
    MountFacts facts;
    bool fresh;
  };
  const Row rows[] = {
      {{.user_namespace = true, .own_network = true}, true},
      {{.user_namespace = false, .own_network = true}, true},
      {{.user_namespace = false, .own_network = false}, true},
      {{.user_namespace = true, .own_network = false}, false},
  };
  for (const Row& row : rows) {
    const MountPlan plan = make(config, row.facts);
    CHECK_EQ(place(plan, "sys", Kind::kFileSystem) >= 0, row.fresh);
    CHECK_EQ(place(plan, "sys", Kind::kBind) >= 0, !row.fresh);
    CHECK_EQ(place(plan, empty, Kind::kMask) >= 0, !row.fresh);
    CHECK_GE(place(plan, "sys/firmware", Kind::kMask), 0);
    if (row.fresh) continue;
    const MountOp& sys = at(plan, "sys", Kind::kBind);
    CHECK_EQ(sys.attributes, kNoExec | MOUNT_ATTR_RDONLY);
    CHECK(sys.recursive);
    CHECK(sys.anchored);
    CHECK_FALSE(sys.idmapped);
  }
  config.mounts.push_back({.destination = "/sys", .type = "bind", .source = "/sys"});
  CHECK_GE(place(make(config, rows[0].facts), empty, Kind::kMask),
           0);  // a volume hides the new one
}

TEST_CASE("mount plan: a group of terminals, and a cgroup2, are there when the jail has them") {
  MountFacts facts;
  CHECK_EQ(option(at(make(directory_config(), facts), "dev/pts", Kind::kFileSystem), "gid"), "5");
  facts.tty_group = false;
  facts.cgroup = false;
  const MountPlan plan = make(directory_config(), facts);
  CHECK_EQ(option(at(plan, "dev/pts", Kind::kFileSystem), "gid"), "none");
  CHECK_EQ(option(at(plan, "dev/pts", Kind::kFileSystem), "ptmxmode"), "0666");
  CHECK_EQ(place(plan, "sys/fs/cgroup", Kind::kFileSystem), -1);
}

TEST_CASE("mount plan: the root is the directory itself, or an overlay that is thrown away") {
  spec::JailConfig config = directory_config();
  RootPlan root = make(config).root;
  CHECK(root.kind == RootPlan::Kind::kDirectory);
  CHECK_EQ(root.source, "/srv/rootfs");
  CHECK_EQ(root.origin, "web.yaml:3:5");
  CHECK_FALSE(root.read_only);
  config.extra.ephemeral = true;
  config.root_readonly = true;
  root = make(config, {.user_namespace = false}).root;
  CHECK(root.kind == RootPlan::Kind::kOverlay);
  CHECK(root.read_only);
  CHECK_FALSE(root.overlay_userxattr);
  CHECK(make(config).root.overlay_userxattr);
  root = make(host_config(), {.idmapped = true}).root;
  CHECK(root.kind == RootPlan::Kind::kTmpfs);
  CHECK_FALSE(root.idmapped);
}

TEST_CASE("mount plan: what of the host is mapped is made outside, the root first, devices never") {
  spec::JailConfig config = directory_config();
  config.mounts = {{"/b", "bind", "/nowhere/b", {"nosuid"}, "web.yaml:8:9"},
                   {"/tmp", "tmpfs", "tmpfs", {}, ""},
                   {"/a", "bind", "/nowhere/a", {}, "web.yaml:9:9"}};
  const MountPlan mapped = make(config, {.idmapped = true});
  const auto sources = plan::sources_made_outside(mapped);
  REQUIRE_EQ(sources.size(), 3);
  CHECK_EQ(std::string(sources[0].path), "/srv/rootfs");
  CHECK_EQ(std::string(sources[0].origin), "web.yaml:3:5");
  CHECK_FALSE(sources[0].recursive);
  CHECK_EQ(std::string(sources[1].path), "/nowhere/b");
  CHECK_EQ(sources[1].attributes, MOUNT_ATTR_NOSUID);
  CHECK(sources[1].recursive);
  CHECK_EQ(std::string(sources[2].path), "/nowhere/a");
  CHECK_EQ(plan::sources_made_outside(make(config)).size(), 0);
}

TEST_CASE("mount plan: of the machine come its trees read-only, copies, and no more of /etc") {
  using EntryKind = UserlandEntry::Kind;
  const std::vector<UserlandEntry> userland = {{EntryKind::kTree, "/usr", ""},
                                               {EntryKind::kLink, "/bin", "usr/bin"},
                                               {EntryKind::kCopy, "/etc/passwd", "root:x:0:0"}};
  for (const bool idmapped : {true, false}) {
    const MountPlan plan = plan::make_mount_plan(host_config(), userland, {.idmapped = idmapped});
    const MountOp& usr = at(plan, "usr", Kind::kBind);
    CHECK_EQ(usr.attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
    CHECK_EQ(usr.idmapped, idmapped);
    CHECK_EQ(usr.recursive, !idmapped);
    CHECK_EQ(usr.origin, plan::kUserlandOrigin);
    CHECK_EQ(at(plan, "bin", Kind::kSymlink).source, "usr/bin");
    CHECK_EQ(at(plan, "etc/passwd", Kind::kFile).source, "root:x:0:0");
    CHECK_EQ(at(plan, "etc/hostname", Kind::kFile).source, "web\n");
    CHECK_EQ(at(plan, "tmp", Kind::kDirectory).mode, 01777);
    CHECK_EQ(at(plan, "root", Kind::kDirectory).mode, 0700);
    CHECK_LT(place(plan, "etc", Kind::kDirectory), place(plan, "etc/passwd", Kind::kFile));
    CHECK_EQ(place(plan, "etc", Kind::kReadOnly), static_cast<int>(plan.ops.size()) - 1);
    CHECK_FALSE(plan.ops.back().recursive);  // what is mounted there is as the spec says
  }
  const MountPlan own = plan::make_mount_plan(directory_config(), userland, {});
  CHECK_EQ(place(own, "etc", Kind::kReadOnly), -1);
  CHECK_EQ(place(own, "usr", Kind::kBind), -1);
}

TEST_CASE(
    "mount plan: names are mounted over those of a root that lasts, and made in a throw-away") {
  spec::JailConfig config = directory_config();
  config.extra.resolver = {{"10.0.0.1"}, {"."}, {"ndots:2"}, "web.yaml:5:9"};
  MountPlan plan = make(config);
  CHECK_EQ(targets(plan, Kind::kPlace), "etc/hostname etc/hosts etc/resolv.conf");
  const MountOp& resolv = at(plan, "etc/resolv.conf", Kind::kPlace);
  CHECK_EQ(resolv.file.content, "nameserver 10.0.0.1\noptions ndots:2\n");
  CHECK_EQ(resolv.origin, "web.yaml:5:9");
  CHECK_FALSE(resolv.file.make);
  CHECK_FALSE(resolv.file.read_only);
  CHECK_EQ(at(plan, "etc/hosts", Kind::kPlace).origin, "");
  config.root_readonly = true;
  config.mounts = {{"/etc/hosts", "bind", "/nowhere", {}, ""}};
  plan = make(config);
  CHECK_EQ(targets(plan, Kind::kPlace), "etc/hostname etc/resolv.conf");
  CHECK(at(plan, "etc/hostname", Kind::kPlace).file.read_only);
  config.extra.ephemeral = true;
  plan = make(config);
  CHECK_EQ(targets(plan, Kind::kPlace), "");
  CHECK_EQ(targets(plan, Kind::kFile), "etc/hostname etc/resolv.conf");
  CHECK(at(plan, "etc/hostname", Kind::kFile).optional);
  CHECK_EQ(at(plan, "etc/resolv.conf", Kind::kFile).origin, "web.yaml:5:9");
}

TEST_CASE("mount plan: configs and secrets come after volumes, before what is locked") {
  spec::JailConfig config = host_config();
  config.mounts = {{"/run", "tmpfs", "tmpfs", {"tmpcopyup", "size=5"}, "v"}};
  config.extra.files = {{.destination = "/run/secrets/a",
                         .secret = true,
                         .from = spec::FileFrom::kContent,
                         .source = "",
                         .uid = 33,
                         .gid = 34,
                         .mode = 0400,
                         .content = "x",
                         .origin = "web.yaml:4:5"}};
  const MountPlan plan = make(config);
  const int file = place(plan, "run/secrets/a", Kind::kPlace);
  CHECK_GT(file, place(plan, "run", Kind::kFileSystem));
  CHECK_LT(file, place(plan, "etc", Kind::kReadOnly));
  const isolation::PlacedFile& placed = plan.ops[static_cast<std::size_t>(file)].file;
  CHECK(placed.unswapped);
  CHECK(placed.read_only);
  CHECK_EQ(placed.mode, 0400);
  CHECK_EQ(placed.uid, 33);
  CHECK(at(plan, "run", Kind::kFileSystem).copy_up);
  CHECK_EQ(option(at(plan, "run", Kind::kFileSystem), "tmpcopyup"), "none");
}

TEST_CASE("mount plan: a target that nothing can be mounted on is a problem before a start") {
  const Scratch scratch;
  std::filesystem::create_directories(scratch / "root/directory");
  std::filesystem::create_symlink("directory", scratch / "root/link");
  put_file(scratch / "root/file", "");
  put_file(scratch / "source", "");
  spec::JailConfig config = directory_config();
  config.root_path = scratch / "root";
  config.mounts = {{"/link", "bind", scratch / "source", {}, "1"},
                   {"/file", "tmpfs", "tmpfs", {}, "2"},
                   {"/directory", "bind", scratch / "source", {}, "3"},
                   {"/directory/file", "tmpfs", "tmpfs", {}, "4"},  // in another
                   {"/missing/deep", "tmpfs", "tmpfs", {}, "5"},
                   {"/link/deep", "tmpfs", "tmpfs", {}, "6"}};
  const auto problems = plan::check_targets(config);
  REQUIRE_EQ(problems.size(), 3);
  CHECK_EQ(problems[0].text(), "1: mount " + (scratch / "source") +
                                   " on /link: the target /link is a link in the root");
  CHECK_EQ(problems[1].text(), "2: mount tmpfs on /file: the target /file is a file in the root");
  CHECK_EQ(problems[1].code(), ENOTDIR);
  CHECK_EQ(problems[2].code(), EINVAL);
}

TEST_CASE("mount plan: a source that is not there is a problem with its line, unless it is made") {
  const Scratch scratch;
  put_file(scratch / "file", "");
  spec::JailConfig config = directory_config();
  config.root_path = scratch.path();
  config.mounts = {{"/a", "bind", scratch / "a", {}, "web.yaml:8:9"},
                   {"/b", "bind", scratch / "b", {"x-create"}, "web.yaml:9:9"},
                   {"/c", "bind", scratch / "file/c", {"x-create"}, "web.yaml:10:9"},
                   {"/t", "tmpfs", "tmpfs", {}, ""}};
  auto problems = plan::check_sources(config);
  REQUIRE_EQ(problems.size(), 2);
  CHECK_EQ(problems[0].text(), "web.yaml:8:9: mount " + (scratch / "a on /a"));
  CHECK_EQ(problems[0].code(), ENOENT);
  CHECK_EQ(problems[1].code(), ENOTDIR);
  CHECK_EQ(plan::directories_to_make(config), std::vector{scratch / "b"});

  config.mounts.clear();
  for (const auto& [path, reason] :
       {std::pair(scratch / "gone", ENOENT), std::pair(scratch / "file", ENOTDIR)}) {
    config.root_path = path;
    problems = plan::check_sources(config);
    REQUIRE_EQ(problems.size(), 1);
    CHECK_EQ(problems[0].text(), "web.yaml:3:5: root file system " + path);
    CHECK_EQ(problems[0].code(), reason);
  }
}

}  // namespace jaula::test
