// `mask`, `readonly_paths` and what takes the default ones off, as the payload meets them.
#include "tests/jail/jails.h"

namespace jaula::test {
namespace fs = std::filesystem;

namespace {

// With /data of the root: a file "key", a directory "inner" with a file, and a link to the key.
class Masks {
 public:
  Masks() {
    fs::create_directories(jails_.root() + "/data/inner");
    put_file(jails_.root() + "/data/key", "secret");
    put_file(jails_.root() + "/data/inner/file", "inner");
    fs::create_symlink("key", jails_.root() + "/data/link");
  }
  [[nodiscard]] std::string probe(const Words& words, const Words& options) const {
    const Ran ran = jails_.probe(words, options);
    return ran.out + ran.err;
  }
  [[nodiscard]] const Jails& jails() const { return jails_; }

 private:
  Jails jails_;
};

Words mask(const std::string& list) { return {"--set", "mask=[" + list + "]"}; }
Words locked(const std::string& list) { return {"--set", "readonly_paths=[" + list + "]"}; }

}  // namespace

TEST_CASE("mask: a file reads as empty, a directory as without entries, for root of the jail too") {
  const Masks masks;
  const Words both = mask("/data/key, /data/inner");
  CHECK_EQ(masks.probe({"cat", "/data/key"}, both), "");
  CHECK_EQ(masks.probe({"list", "/data/inner"}, both), "");
  CHECK_EQ(masks.probe({"cat", "/data/inner/file"}, both), "ENOENT\n");
  CHECK_EQ(masks.probe({"put", "/data/key", "x"}, both), "EROFS\n");
  CHECK_EQ(masks.probe({"cat", "/data/key"}, {}), "secret");
  CHECK_EQ(file_bytes(masks.jails().root() + "/data/key"), "secret");
}

TEST_CASE("mask: it hides what a volume brings, and the default masks stay") {
  const Masks masks;
  const Words options = {"-v", masks.jails().root() + "/data:/srv", "--security-opt",
                         "mask=/srv/key:/srv/inner"};
  CHECK_EQ(masks.probe({"cat", "/srv/key"}, options), "");
  CHECK_EQ(masks.probe({"list", "/srv/inner"}, options), "");
  CHECK_EQ(masks.probe({"cat", "/proc/interrupts"}, options), "");
}

TEST_CASE("mask: a link is refused, what is not there too, and nothing starts") {
  const Masks masks;
  for (const auto& [path, text] :
       {std::pair{"/data/link", "the target /data/link is a link in the root\n"},
        std::pair{"/data/none", "hide /data/none: No such file or directory\n"},
        std::pair{"/data/key/x", "Not a directory\n"}}) {
    const Ran ran = masks.jails().probe({"true"}, mask(path));
    CAPTURE(ran.err);
    CHECK_EQ(ran.code, 125);
    CHECK(contains(ran.err, "--set mask: "));
    CHECK(contains(ran.err, text));
  }
  // What of /proc and /sys a kernel does not have is nothing to hide.
  CHECK_EQ(masks.jails().probe({"true"}, mask("/proc/no-such-file, /sys/none")).code, 0);
  CHECK_EQ(masks.jails().left_behind(), "");
}

TEST_CASE("readonly_paths: nothing below can be written, mounts below included, and it executes") {
  const Masks masks;
  Words options = locked("/data, /bin");
  options.insert(options.end(), {"--tmpfs", "/data/inner"});
  CHECK_EQ(masks.probe({"put", "/data/key", "x"}, options), "EROFS\n");
  CHECK_EQ(masks.probe({"put", "/data/inner/new", "x"}, options), "EROFS\n");
  CHECK_EQ(masks.probe({"put", "/new", "x"}, options), "ok\n");
  CHECK_EQ(masks.probe({"put", "/data/key", "x"}, {"--tmpfs", "/data/inner"}), "ok\n");
  for (const char* path : {"/data/none", "/data/link"}) {
    const Ran ran = masks.jails().probe({"true"}, locked(path));
    CAPTURE(ran.err);
    CHECK_EQ(ran.code, 125);
    CHECK(contains(ran.err, "--set readonly_paths: "));
  }
}

TEST_CASE("unmask: a default mask or lock is taken off, and the user namespace still holds") {
  const Masks masks;
  const Words one = {"--security-opt", "unmask=/proc/interrupts"};
  CHECK_NE(masks.probe({"cat", "/proc/interrupts"}, one), "");
  CHECK_EQ(masks.probe({"cat", "/proc/keys"}, one), "");
  const Words all = {"--security-opt", "systempaths=unconfined"};
  const std::string mounts = masks.probe({"cat", "/proc/self/mountinfo"}, all);
  CHECK_FALSE(contains(mounts, " /proc/"));
  // Read-only no more, but another's: of the machine's root, not of the jail's.
  CHECK_EQ(masks.probe({"put", "/proc/sys/kernel/core_pattern", "x"}, all), "EACCES\n");
  const Words kept = {"--security-opt", "unmask=ALL", "--set", "mask=[/proc/interrupts]"};
  CHECK_EQ(masks.probe({"cat", "/proc/interrupts"}, kept), "");
  const Ran ran = masks.jails().probe({"true"}, {"--security-opt", "unmask=/proc/version"});
  CHECK_EQ(ran.code, 125);
  CHECK(contains(ran.err, "/proc/version is neither masked nor read-only by default\n"));
}

}  // namespace jaula::test
