#include "runtime/base/memory.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

// The ELF header of this program, where the loader put it. ld(1)
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;  // NOLINT

namespace jaula {
namespace {

char* heap_begin;
// Runs before anything is allocated.
[[gnu::constructor(101)]] void note_heap() noexcept { heap_begin = static_cast<char*>(::sbrk(0)); }

void give_program_back() noexcept {
  constexpr std::uintptr_t kPage = 4096;
  const auto base = reinterpret_cast<std::uintptr_t>(&__ehdr_start);
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(base + __ehdr_start.e_phoff);
  // From the last to the first, which holds these headers.
  for (unsigned i = __ehdr_start.e_phnum; i-- > 0;) {
    const auto [type, flags, offset, address, physical, file_size, size, align] = headers[i];
    // What may be written is ours alone and would be lost.
    if (type != PT_LOAD || (flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (base + address) & ~(kPage - 1);
    // Advice: without it the process is only bigger.
    ::madvise(reinterpret_cast<void*>(begin), base + address + size - begin, MADV_DONTNEED);
  }
}

}  // namespace

void give_memory_back() noexcept {
  ::malloc_trim(0);
  give_program_back();
}

void give_all_memory_back() noexcept {
  const auto size = static_cast<std::size_t>(static_cast<char*>(::sbrk(0)) - heap_begin);
  ::madvise(heap_begin, size, MADV_DONTNEED);
  give_program_back();
}

}  // namespace jaula
