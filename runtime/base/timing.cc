#include "runtime/base/timing.h"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>

#include "runtime/base/text.h"

namespace jaula::timing {
namespace {

struct Note {
  std::int64_t ended;  // ns since begin()
  std::int64_t took;
  bool inside;
  std::array<char, 47> step;  // cut off where it is longer
};

// In memory that parent and child share.
struct Notes {
  std::atomic<std::size_t> count;  // of all that were made, also those that there was no room for
  std::int64_t began;              // CLOCK_MONOTONIC
  std::array<Note, 255> notes;
};
static_assert(std::atomic<std::size_t>::is_always_lock_free);

Notes* shared = nullptr;
// Of this process.
std::int64_t last = 0;
bool inside = false;

std::int64_t now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void begin() noexcept {
  void* memory =
      ::mmap(nullptr, sizeof(Notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  shared = static_cast<Notes*>(memory);  // the kernel's zeros are an empty one
  shared->began = now();
}

void note(const char* step, const char* object) noexcept {
  if (shared == nullptr) return;
  const std::int64_t ended = now() - shared->began;
  const std::size_t place = shared->count.fetch_add(1);
  if (place < shared->notes.size()) {
    Note& note = shared->notes[place];
    note = {.ended = ended, .took = ended - last, .inside = inside, .step = {}};
    const std::size_t size = ::strnlen(step, note.step.size() - 1);
    std::memcpy(note.step.data(), step, size);
    std::memcpy(note.step.data() + size, object, ::strnlen(object, note.step.size() - 1 - size));
  }
  last = ended;
}

void note_birth() noexcept {
  inside = true;
  note("clone");
}

std::string text() {
  if (shared == nullptr) return "";
  const std::size_t count = std::min(shared->count.load(), shared->notes.size());
  std::string all = "   at us  took us  side    step\n";
  for (const Note& note : std::span(shared->notes).first(count)) {
    constexpr double kMicrosecond = 1000;
    std::array<char, 64> figures;
    std::snprintf(figures.data(), figures.size(), "%8.0f %8.0f  %s  ",
                  static_cast<double>(note.ended) / kMicrosecond,
                  static_cast<double>(note.took) / kMicrosecond, note.inside ? "inside" : "parent");
    all.append(figures.data()).append(escaped(note.step.data())).append("\n");
  }
  return all;
}

}  // namespace jaula::timing
