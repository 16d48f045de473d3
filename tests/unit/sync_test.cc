// The socket between a child and its parent.
#include "runtime/sync.h"

#include <doctest/doctest.h>
#include <errno.h>

namespace jaula::test {

TEST_CASE("sync: the last words of a child that has not read its own arrive, then its end") {
  SyncPair pair = make_sync_pair().value();
  REQUIRE(send_message(pair.parent.get(), {.kind = SyncMessage::Kind::kGo}));
  REQUIRE(send_message(pair.child.get(), {.kind = SyncMessage::Kind::kFailed,
                                          .error = Error(EPERM, "make a session keyring")}));
  pair.child.reset();
  const Result<SyncMessage> failed = receive_message(pair.parent.get());
  REQUIRE(failed);
  CHECK(failed->kind == SyncMessage::Kind::kFailed);
  CHECK_EQ(failed->error.text(), "make a session keyring");
  const Result<SyncMessage> end = receive_message(pair.parent.get());
  REQUIRE(end);
  CHECK(end->kind == SyncMessage::Kind::kEof);
}

}  // namespace jaula::test
