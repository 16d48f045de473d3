// Host ids of jails: what is passed over, taken over, given back.
#include <doctest/doctest.h>
#include <errno.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/state_store.h"
#include "tests/unit/scratch.h"

namespace jaula::test {
namespace {

namespace fs = std::filesystem;

struct Ids {
  Scratch scratch;
  IdSources sources{.passwd = scratch / "passwd",
                    .group = scratch / "group",
                    .subuid = scratch / "subuid",
                    .subgid = scratch / "subgid"};
  StateStore store{Roots{.run = scratch / "run", .data = scratch / "data", .ids = scratch / "ids"},
                   sources};

  JailDirectory made(const std::string& name) {
    Result<JailDirectory> jail = store.create(name);
    REQUIRE_EQ(said(jail), "");
    return std::move(*jail);
  }
  std::uint32_t taken(JailDirectory& jail) {
    const Result<std::uint32_t> base = store.take_id_range(jail);
    REQUIRE_EQ(said(base), "");
    return *base;
  }
  [[nodiscard]] std::string holder(std::uint32_t base) const {
    std::error_code none;
    return fs::read_symlink(scratch / "ids/" + std::to_string(base), none).filename();
  }
  // Leaves the last `count` ranges free.
  void leave_free(std::uint32_t count) const {
    put_file(sources.subuid, "big:524288:" + std::to_string((kIdSlots - count) * kIdRangeSize));
  }
};

constexpr std::uint32_t slot(std::uint32_t n) { return kFirstIdBase + n * kIdRangeSize; }

TEST_CASE("id ranges: a map takes those it reaches into, and is refused where another jail is") {
  Ids ids;
  spec::JailConfig config;
  config.uid_mappings = {{0, 100000, 65536}, {65536, slot(5) + 10, 65536}};
  config.gid_mappings = {{0, slot(8), 1}};
  JailDirectory mapped = ids.made("mapped");
  REQUIRE_EQ(said(ids.store.take_mapped_ids(mapped, config)), "");
  for (const std::uint32_t n : {5U, 6U, 8U}) CHECK_EQ(ids.holder(slot(n)), "mapped");
  CHECK_EQ(ids.holder(slot(7)), "");
  CHECK_EQ(std::distance(fs::directory_iterator(ids.scratch / "ids"), fs::directory_iterator()), 3);

  JailDirectory other = ids.made("other");
  const Result<void> refused = ids.store.take_mapped_ids(other, config);
  CHECK_EQ(said(refused), "host ids 851968 to 917503 are those of another jail");
  // One that takes what is free is not given them either.
  std::string name;
  for (int i = 0; preferred_id_base(name = "n" + std::to_string(i)) != slot(5);) ++i;
  JailDirectory automatic = ids.made(name);
  CHECK_EQ(ids.taken(automatic), slot(7));
  REQUIRE_EQ(said(mapped.remove()), "");
  for (const std::uint32_t n : {5U, 6U, 8U}) CHECK_EQ(ids.holder(slot(n)), "");

  config.uid_mappings = {{0, 0, UINT32_MAX - 1}};
  CHECK_EQ(said(ids.store.take_mapped_ids(other, config)),
           "a map may reach into at most 256 of the ranges of jails, from 524288 on");
}

TEST_CASE("id ranges: bases are slots of systemd's container range") {
  CHECK_EQ(kFirstIdBase, 524288);
  CHECK_EQ(kLastIdBase + kIdRangeSize - 1, 1879048191);
  for (const char* name : {"a", "web", "db", "cache-1"}) {
    const std::uint32_t base = preferred_id_base(name);
    CHECK_EQ(base % kIdRangeSize, 0);
    CHECK((base >= kFirstIdBase && base <= kLastIdBase));
  }
  CHECK_EQ(nth_id_base(kLastIdBase, 0), kLastIdBase);
  CHECK_EQ(nth_id_base(kLastIdBase, 1), kFirstIdBase);
}

TEST_CASE("id ranges: a jail gets the range of its name, and the same one again") {
  Ids ids;
  JailDirectory jail = ids.made("web");
  CHECK_EQ(ids.taken(jail), preferred_id_base("web"));
  CHECK_EQ(ids.holder(preferred_id_base("web")), "web");
  CHECK_EQ(said(jail.remove()), "");
  CHECK_EQ(ids.holder(preferred_id_base("web")), "");
  JailDirectory again = ids.made("web");
  CHECK_EQ(ids.taken(again), preferred_id_base("web"));
}

TEST_CASE("id ranges: users, groups and subordinate ids of the host are passed over") {
  const std::uint32_t base = preferred_id_base("web");
  const std::string inside = std::to_string(base + 7);
  const std::string last_before = std::to_string(base - 1);
  struct {
    std::string IdSources::*file;
    std::string line;
    bool passed_over;
  } const cases[] = {
      {&IdSources::passwd, "u:x:" + inside + ":0::/:/bin/sh", true},
      {&IdSources::group, "root:x:0:\ng:x:" + inside + ":", true},
      {&IdSources::subuid, "u:" + last_before + ":2", true},
      {&IdSources::subgid, "u:524288:" + std::to_string(base - 524288 + 1), true},
      {&IdSources::subgid, "u:524288:" + std::to_string(base - 524288), false},
      {&IdSources::passwd, "u:x:" + last_before + ":" + inside + "::/:/bin/sh", false},
      {&IdSources::passwd, "+::::::\nu:x\n:x:-1:\nu:x:99999999999:\n\n", false},
      {&IdSources::subuid, "u:" + inside + "\nu:x:" + inside + "\n", false},
  };
  for (const auto& test : cases) {
    CAPTURE(test.line);
    Ids ids;
    put_file(ids.sources.*test.file, test.line);
    JailDirectory jail = ids.made("web");
    CHECK_EQ(ids.taken(jail), test.passed_over ? nth_id_base(base, 1) : base);
  }
}

TEST_CASE("id ranges: the link of a jail that is gone is taken over, that of a living one is not") {
  Ids ids;
  ids.leave_free(2);
  JailDirectory first = ids.made("first");
  const std::uint32_t base = ids.taken(first);
  JailDirectory second = ids.made("second");
  const std::uint32_t other = ids.taken(second);
  CHECK_EQ(std::set{base, other}, std::set{slot(kIdSlots - 2), slot(kIdSlots - 1)});

  JailDirectory third = ids.made("third");
  const Result<std::uint32_t> none = ids.store.take_id_range(third);
  REQUIRE_FALSE(none);
  CHECK_EQ(none.error().text(), "all 28664 ranges of host ids for jails are taken");

  // As after a crash between the link's removal and the directory's, the other way round.
  fs::remove_all(ids.scratch / "run/first");
  CHECK_EQ(ids.taken(third), base);
  CHECK_EQ(ids.holder(base), "third");
  // The old owner's removal does not give back what is another's now.
  JailDirectory ghost = ids.made("first");
  JailState state;
  state.name = "first";
  state.id_base = base;
  CHECK_EQ(said(ghost.save(state)), "");
  CHECK_EQ(said(ghost.remove()), "");
  CHECK_EQ(ids.holder(base), "third");
}

TEST_CASE("id ranges: a jail that cannot be looked at is not taken for one that is gone") {
  const Scratch scratch;
  const Result<IdClaims> claims = IdClaims::open(scratch / "ids");
  REQUIRE_EQ(said(claims), "");
  fs::create_symlink("loop", scratch / "loop");
  for (const auto& [holder, free] :
       {std::pair{scratch / "loop/web", false}, std::pair{scratch / "gone/web", true}}) {
    fs::create_symlink(holder, scratch / "ids/524288");
    const Result<bool> claimed = claims->claim(scratch / "other", 524288);
    REQUIRE_EQ(said(claimed), "");
    CHECK_EQ(*claimed, free);
    fs::remove(scratch / "ids/524288");
  }
}

TEST_CASE("id ranges: jails of one name in two state directories have different ones") {
  Ids ids;
  JailDirectory here = ids.made("web");
  const std::uint32_t base = ids.taken(here);
  const StateStore elsewhere{
      Roots{.run = ids.scratch / "run2", .data = ids.scratch / "data2", .ids = ids.scratch / "ids"},
      ids.sources};
  Result<JailDirectory> there = StateStore(elsewhere.roots(), ids.sources).create("web");
  REQUIRE_EQ(said(there), "");
  CHECK_NE(elsewhere.take_id_range(*there).value(), base);
  CHECK_EQ(said(there->remove()), "");
  CHECK_EQ(ids.holder(base), "web");
}

TEST_CASE("id ranges: a range whose jail has no readable state is given back too") {
  Ids ids;
  JailDirectory maker = ids.made("web");
  const std::uint32_t base = ids.taken(maker);
  put_file(ids.scratch / "run/web/state.json", "{");
  maker.unlock();
  JailDirectory remover = ids.store.open("web").value();
  CHECK_EQ(said(remover.remove()), "");
  CHECK_EQ(ids.holder(base), "");
}

// How many different ranges eight processes got that asked at the same moment.
std::size_t ask_at_once() {
  constexpr std::uint32_t kCount = 8;
  Ids ids;
  ids.leave_free(kCount);
  // Stale links everywhere: every taking is a taking over.
  fs::create_directories(ids.scratch / "ids");
  for (std::uint32_t n = kIdSlots - kCount; n < kIdSlots; ++n)
    fs::create_symlink("gone", ids.scratch / ("ids/" + std::to_string(slot(n))));
  Pipe go, bases;
  std::vector<std::unique_ptr<Child>> children(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i)
    children[i] = std::make_unique<Child>([&, i] {
      Result<JailDirectory> jail = ids.store.create("jail" + std::to_string(i));
      go.wait();
      const Result<std::uint32_t> base = ids.store.take_id_range(*jail);
      if (!base || ::write(bases.to(), &*base, sizeof *base) != sizeof *base) return 1;
      bases.close_to();
      return ::pause();
    });
  for (std::uint32_t i = 0; i < kCount; ++i) go.signal();
  std::set<std::string> taken;
  for (std::uint32_t i = 0; i < kCount; ++i) taken.insert(bases.take(sizeof(std::uint32_t)));
  return taken.size();
}

TEST_CASE("id ranges: processes that ask at once get different ones") {
  for (int round = 0; round < 20; ++round) CHECK_EQ(ask_at_once(), 8);
}

}  // namespace
}  // namespace jaula::test
