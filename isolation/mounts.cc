#include "isolation/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "isolation/copy_up.h"
#include "isolation/root_path.h"
#include "runtime/base/mutant.h"
#include "runtime/base/sys.h"
#include "runtime/base/timing.h"

namespace jaula::isolation {
namespace {

// Everything that is being assembled sits on a tmpfs laid over the old root's /proc, which is there
// on every host and has done its work (make_proc). It must not lie over "/" itself: the old root
// would stay under it when the topmost mount of "/" is detached.
struct Staging {
  Fd directory;
  Fd ramfs;  // on it, for what is never swapped
  // Copies of what covers a masked path, one of each kind; a new one is made when it is used.
  struct Cover {
    const char* name;
    Fd tree;
  } covers[2] = {{"file", {}}, {"directory", {}}};
};

Result<Fd> make_tmpfs(const char* mode, unsigned attributes) noexcept {
  const Fd context = TRY(sys::fsopen("tmpfs"));
  TRY(sys::fsconfig_string(context.get(), "source", "jaula"));
  TRY(sys::fsconfig_string(context.get(), "mode", mode));
  return sys::fsmount(context.get(), "tmpfs", attributes);
}

Result<Staging> make_staging() noexcept {
  Staging staging;
  staging.directory = TRY(make_tmpfs("0700", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  const int here = staging.directory.get();
  TRY(sys::move_mount(here, AT_FDCWD, "/proc"));
  TRY(sys::mkdirat(here, "root", 0755));
  TRY(sys::mkdirat(here, "directory", 0));
  TRY(sys::mknod_file(here, "file", 0));
  return staging;
}

const Fd& home_of(const Staging& staging, const PlacedFile& file) noexcept {
  return file.unswapped ? staging.ramfs : staging.directory;
}

// All that is written to the staging tmpfs for the operations.
Result<void> make_files(Staging& staging, const MountPlan& plan) noexcept {
  int index = -1;
  bool copies = false;
  for (const MountOp& op : plan.ops) {
    ++index;
    if (op.copy_up && !copies) TRY(sys::mkdirat(staging.directory.get(), "copy", 0));
    copies = copies || op.copy_up;
    if (op.kind != MountOp::Kind::kPlace) continue;
    if (op.file.unswapped && !staging.ramfs) {
      TRY(sys::mkdirat(staging.directory.get(), "ramfs", 0));
      staging.ramfs = TRY(make_ramfs());
      TRY(sys::move_mount(staging.ramfs.get(), staging.directory.get(), "ramfs"));
    }
    Result<void> made = make_file(home_of(staging, op.file).get(), op.file);
    if (!made) return made.error().at(index);
  }
  return {};
}

// Nothing more is written to it; what is copied from it from here on covers, and does no more.
Result<void> seal(const Staging& staging) noexcept {
  return sys::mount_setattr(staging.directory.get(), 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, 0);
}

Result<Fd> clone_cover(const Staging& staging, const char* name) noexcept {
  const bool of_the_jail = mutant("covers of our own") && name == std::string_view("file");
  return sys::clone_tree(staging.directory.get(), of_the_jail ? "root/dev/null" : name, 0);
}

// A detached mount that is closed keeps its owner waiting until no processor can see it any more,
// one that is attached goes with the old root.
Result<void> leave_covers(const Staging& staging) noexcept {
  for (const Staging::Cover& cover : staging.covers)
    if (cover.tree) TRY(sys::move_mount(cover.tree.get(), staging.directory.get(), cover.name));
  return {};
}

// A detached copy of what is mounted at a path of the host, which is private here already.
Result<Fd> copy_tree(const char* path, bool recursive, std::uint64_t attributes) noexcept {
  const unsigned depth = recursive ? AT_RECURSIVE : 0U;
  Fd tree = TRY(sys::clone_tree(AT_FDCWD, path, depth));
  if (attributes != 0) TRY(sys::mount_setattr(tree.get(), depth, attributes, 0));
  return tree;
}

Result<Fd> make_overlay(const RootPlan& plan, const Staging& staging, Fd lower) noexcept {
  const int here = staging.directory.get();
  for (const char* name : {"lower", "upper", "work"}) TRY(sys::mkdirat(here, name, 0755));
  TRY(sys::move_mount(lower.get(), here, "lower"));
  // Layers are named by paths relative to the working directory: no separator of overlayfs' option
  // syntax can come from a path of the user's.
  TRY(sys::fchdir(here));
  const Fd context = TRY(sys::fsopen("overlay"));
  TRY(sys::fsconfig_string(context.get(), "source", "jaula"));
  TRY(sys::fsconfig_string(context.get(), "lowerdir", "lower"));
  TRY(sys::fsconfig_string(context.get(), "upperdir", "upper"));
  TRY(sys::fsconfig_string(context.get(), "workdir", "work"));
  if (plan.overlay_userxattr) TRY(sys::fsconfig_flag(context.get(), "userxattr"));
  return sys::fsmount(context.get(), "overlay", MOUNT_ATTR_NODEV);
}

Result<Fd> make_root(const RootPlan& plan, const Staging& staging, Fd outside) noexcept {
  if (plan.kind == RootPlan::Kind::kTmpfs) return make_tmpfs("0755", MOUNT_ATTR_NODEV);
  if (!outside) outside = TRY(copy_tree(plan.source.c_str(), true, MOUNT_ATTR_NODEV));
  if (plan.kind == RootPlan::Kind::kDirectory) return outside;
  return make_overlay(plan, staging, std::move(outside));
}

// The root that is being assembled, and what the operations on it take.
struct Assembly {
  Staging& staging;
  RootWalk walk;
  Premade& premade;
  bool userxattr;
};

Result<void> write_file(Assembly& at, const MountOp& op, std::string_view bytes) noexcept {
  const char* path = op.target.c_str();
  const Result<Fd> file = at.walk.make_file(path, op.mode);
  // EACCES: its directory is of an id that the jail does not have.
  if (!file && file.error().code() == EACCES && op.optional) return {};
  if (!file) return file.error();
  return sys::write_all(file->get(), bytes, path);
}

// What the plan looked at has not become something else.
Result<void> require_device(int tree, const MountOp& op) noexcept {
  const struct stat info = TRY(sys::fstat(tree));
  if ((S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) && info.st_rdev == op.device) return {};
  return Error(0, op.source, " is not the device any more that it was");
}

Result<void> bind(Assembly& at, const MountOp& op, Fd tree) noexcept {
  if (!tree) tree = TRY(copy_tree(op.source.c_str(), op.recursive, op.attributes));
  if (op.device != 0) TRY(require_device(tree.get(), op));
  if (op.anchored) return at.walk.mount_and_anchor(op.target.c_str(), std::move(tree));
  const auto kind = op.source_is_file ? MountPointKind::kFile : MountPointKind::kDirectory;
  return at.walk.mount(op.target.c_str(), kind, tree.get());
}

Result<Fd> make_copy(Assembly& at, const MountOp& op, int directory) noexcept {
  const auto says = [&](std::string_view name) {
    for (const auto& [key, value] : op.options)
      if (key == name) return true;
    return false;
  };
  const CopyUp copy{.directory = directory,
                    .staging = at.staging.directory.get(),
                    .userxattr = at.userxattr,
                    .attributes = op.attributes,
                    .keep_mode = says("mode"),
                    .keep_uid = says("uid"),
                    .keep_gid = says("gid")};
  return make_copy_up(copy, TRY(make_file_system(op, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)));
}

Result<void> mount_file_system(Assembly& at, const MountOp& op) noexcept {
  const char* path = op.target.c_str();
  Premade& premade = at.premade;
  for (const auto& [type, made] :
       {std::pair{"proc", &premade.proc}, std::pair{"sysfs", &premade.sysfs},
        std::pair{"mqueue", &premade.mqueue}})
    if (*made && op.source == type) return at.walk.mount_and_anchor(path, std::move(*made));
  if (op.copy_up) {
    const Result<Fd> there = at.walk.find(path);
    if (!there && there.error().code() != ENOENT) return there.error();
    if (there) {
      const struct stat info = TRY(sys::fstat(there->get()));
      // What is no directory is refused as a mount point.
      if (S_ISDIR(info.st_mode))
        return at.walk.mount_and_anchor(path, TRY(make_copy(at, op, there->get())));
    }
  }
  return at.walk.mount_and_anchor(path, TRY(make_file_system(op, op.attributes)));
}

// What is not there may come later, and would be seen then.
Result<void> missing(const MountOp& op, Error error) noexcept {
  if (error.code() != ENOENT) return error;
  if (op.optional) return {};
  return Error(ENOENT, op.kind == MountOp::Kind::kMask ? "hide /" : "make read-only /", op.target)
      .hint("name what is there when the jail starts, or make it in the root");
}

// What the spec names is looked at before it is covered; {} for what jaula names itself, in a file
// system of the kernel's.
Result<Fd> place_named(Assembly& at, const MountOp& op) noexcept {
  if (!op.named) return Fd();
  return at.walk.find_no_link(op.target.c_str());
}

// The cover of a masked path comes from the staging tmpfs, never from an inode of the jail.
// CVE-2025-31133
Result<void> mask(Assembly& at, const MountOp& op) noexcept {
  const Result<Fd> place = place_named(at, op);
  if (!place) return missing(op, place.error());
  Result<void> covered;
  for (Staging::Cover& cover : at.staging.covers) {
    if (!cover.tree) cover.tree = TRY(clone_cover(at.staging, cover.name));
    covered = *place ? at.walk.cover(op.target.c_str(), cover.tree.get(), place->get())
                     : at.walk.cover(op.target.c_str(), cover.tree.get());
    if (covered) cover.tree.reset();
    // EINVAL: one is a directory and the other is none.
    if (covered || covered.error().code() != EINVAL) break;
  }
  if (!covered) return missing(op, covered.error());
  return covered;
}

// A link, FIFO or device in its place is covered like a file: it is neither followed nor opened.
Result<void> place(Assembly& at, const MountOp& op) noexcept {
  const char* path = op.target.c_str();
  if (mutant("place by a mount")) return write_file(at, op, op.file.content);
  const Fd tree = TRY(clone_file(home_of(at.staging, op.file).get(), op.file));
  Result<void> covered = at.walk.cover(path, tree.get());
  if (covered) return covered;
  if (covered.error().code() == EINVAL)
    return Error(EISDIR, "place a file at /", path).hint("remove the directory there");
  if (covered.error().code() != ENOENT) return covered;
  if (op.file.make) return at.walk.mount(path, MountPointKind::kFile, tree.get());
  if (op.origin.empty()) return {};
  return Error(ENOENT, "place /", path)
      .hint("make an empty file there: in a root with `ephemeral: false` jaula makes none");
}

Result<void> make_read_only(Assembly& at, const MountOp& op) noexcept {
  const char* path = op.target.c_str();
  const Result<Fd> place = place_named(at, op);
  if (!place) return missing(op, place.error());
  const Result<Fd> copy =
      *place ? sys::clone_tree(place->get(), "", AT_EMPTY_PATH | AT_RECURSIVE) : at.walk.copy(path);
  if (!copy) return missing(op, copy.error());
  TRY(sys::mount_setattr(copy->get(), op.recursive ? AT_RECURSIVE : 0,
                         op.attributes | MOUNT_ATTR_RDONLY, 0));
  return *place ? at.walk.cover(path, copy->get(), place->get()) : at.walk.cover(path, copy->get());
}

Result<void> perform(Assembly& at, const MountOp& op, Fd outside) noexcept {
  switch (op.kind) {
    case MountOp::Kind::kDirectory:
      return at.walk.make_directory(op.target.c_str(), op.mode);
    case MountOp::Kind::kFile:
      return write_file(at, op, op.source);
    case MountOp::Kind::kSymlink:
      return at.walk.make_link(op.target.c_str(), op.source.c_str());
    case MountOp::Kind::kBind:
      return bind(at, op, op.source == "/proc" ? std::move(at.premade.proc) : std::move(outside));
    case MountOp::Kind::kFileSystem:
      return mount_file_system(at, op);
    case MountOp::Kind::kMask:
      return mask(at, op);
    case MountOp::Kind::kReadOnly:
      return make_read_only(at, op);
    case MountOp::Kind::kPlace:
      return place(at, op);
  }
  return Error(EINVAL, "unknown mount operation");
}

}  // namespace

Result<Fd> make_file_system(const MountOp& op, std::uint64_t attributes) noexcept {
  const Fd context = TRY(sys::fsopen(op.source.c_str()));
  TRY(sys::fsconfig_string(context.get(), "source", op.source.c_str()));
  for (const auto& [key, value] : op.options) {
    TRY(value.empty() ? sys::fsconfig_flag(context.get(), key.c_str())
                      : sys::fsconfig_string(context.get(), key.c_str(), value.c_str()));
  }
  return sys::fsmount(context.get(), op.source.c_str(), static_cast<unsigned>(attributes));
}

Result<Fd> clone_source(const TreeSource& source) noexcept {
  return sys::clone_tree(AT_FDCWD, source.path, source.recursive ? AT_RECURSIVE : 0U);
}

Result<void> map_source(const TreeSource& source, int tree, int user_namespace) noexcept {
  Result<void> set =
      sys::mount_setattr(tree, source.recursive ? AT_RECURSIVE : 0U,
                         source.attributes | MOUNT_ATTR_IDMAP, 0, MS_PRIVATE, user_namespace);
  if (!set && set.error().code() == EINVAL)
    return Error(EINVAL, source.origin, source.origin[0] == '\0' ? "" : ": ", "map the ids of ",
                 source.path)
        .hint(
            "this kernel cannot map ids on that file system (it can on ext4, xfs, btrfs and tmpfs, "
            "and not on /proc, /sys or /dev); use another source, or set `userns_mode: host`");
  return set;
}

Result<void> leave_peer_groups() noexcept { return sys::set_propagation_of_root(MS_PRIVATE); }

Result<Fd> apply(const MountPlan& plan, std::span<const int> outside, Premade& premade) noexcept {
  Staging staging = TRY(make_staging());
  std::size_t next = 0;
  const auto take = [&](bool idmapped) { return idmapped ? Fd(outside[next++]) : Fd(); };

  Fd root = TRY(make_root(plan.root, staging, take(plan.root.idmapped)));
  timing::note("root file system");
  TRY(sys::move_mount(root.get(), staging.directory.get(), "root"));
  TRY(make_files(staging, plan));
  TRY(seal(staging));
  timing::note("files and covers");
  Assembly assembly{.staging = staging,
                    .walk = RootWalk(root.get()),
                    .premade = premade,
                    .userxattr = plan.root.overlay_userxattr};
  int index = 0;
  for (const MountOp& op : plan.ops) {
    Result<void> performed = perform(assembly, op, take(op.idmapped));
    if (!performed) return performed.error().at(index);
    timing::note("/", op.target.c_str());
    ++index;
  }
  TRY(leave_covers(staging));
  return root;
}

Result<Fd> make_proc() noexcept {
  const Fd context = TRY(sys::fsopen("proc"));
  TRY(sys::fsconfig_string(context.get(), "source", "proc"));
  return sys::fsmount(context.get(), "proc",
                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

Result<Fd> copy_proc() noexcept {
  Fd tree = TRY(copy_tree("/proc", true, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  struct statfs info;
  if (::fstatfs(tree.get(), &info) < 0) return Error(errno, "look at /proc");
  if (info.f_type != PROC_SUPER_MAGIC) return Error(EINVAL, "/proc of the host is no procfs");
  return tree;
}

Result<void> enter(int root, const RootPlan& plan) noexcept {
  TRY(sys::fchdir(root));
  TRY(sys::pivot_root_here());
  if (plan.read_only) TRY(sys::mount_setattr(root, 0, MOUNT_ATTR_RDONLY, 0));
  // "." is still where the old root was stacked; the new "/" is what the payload starts from.
  if (::chdir("/") < 0) return Error(errno, "enter /");
  return {};
}

}  // namespace jaula::isolation
