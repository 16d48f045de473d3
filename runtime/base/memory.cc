#include "runtime/base/memory.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

// The ELF header of this program, where the loader put it. ld(1)
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;  // NOLINT

namespace jaula {
namespace {

constexpr std::size_t kPage = 4096;

char* heap_begin;
char** arguments;
char** environment;
// The C library gives constructors what it gives main(). It has allocated by then itself, and has
// its thread data below that.
[[gnu::constructor(101)]] void note_start(int, char** argv, char** envp) noexcept {
  heap_begin = static_cast<char*>(::sbrk(0)) - ::mallinfo2().arena;
  arguments = argv;
  environment = envp;
}

// The kernel lays the strings out one after the other; what has moved since is not ours to wipe.
char* end_of_strings(char* const* strings, char* end) noexcept {
  for (; *strings != nullptr && *strings == end; ++strings) end += std::strlen(end) + 1;
  return end;
}

void give_heap_back() noexcept {
  // The first page holds what is below the heap, too.
  const std::size_t before = (kPage - reinterpret_cast<std::uintptr_t>(heap_begin) % kPage) % kPage;
  char* const begin = heap_begin + before;
  char* const end = static_cast<char*>(::sbrk(0));
  if (begin < end) ::madvise(begin, static_cast<std::size_t>(end - begin), MADV_DONTNEED);
}

void give_program_back() noexcept {
  // The program is loaded at a page boundary, as one piece.
  const auto* base = reinterpret_cast<const char*>(&__ehdr_start);
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(base + __ehdr_start.e_phoff);
  // From the last to the first, which holds these headers.
  for (unsigned i = __ehdr_start.e_phnum; i-- > 0;) {
    const auto [type, flags, offset, address, physical, file_size, size, align] = headers[i];
    // What may be written is ours alone and would be lost.
    if (type != PT_LOAD || (flags & PF_W) != 0) continue;
    const std::size_t begin = address & ~(kPage - 1);
    // Advice: without it the process is only bigger.
    ::madvise(const_cast<char*>(base) + begin, address + size - begin, MADV_DONTNEED);  // NOLINT
  }
}

}  // namespace

void give_memory_back() noexcept {
  ::malloc_trim(0);
  give_program_back();
}

void give_all_memory_back() noexcept {
  give_heap_back();
  give_program_back();
}

void forget_arguments(const char* title) noexcept {
  if (arguments == nullptr || arguments[0] == nullptr) return;
  char* const begin = arguments[0];
  char* const end = end_of_strings(environment, end_of_strings(arguments, begin));
  std::fill(begin, end, '\0');
  const std::string_view text(title);
  text.copy(begin, static_cast<std::size_t>(end - begin) - 1);
}

}  // namespace jaula
