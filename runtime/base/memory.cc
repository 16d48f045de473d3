#include "runtime/base/memory.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

// The ELF header of this program, where the loader put it. ld(1)
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;  // NOLINT

namespace jaula {
namespace {

char* heap_begin;
char** arguments;
char** environment;
// Runs before anything is allocated. The C library gives constructors what it gives main().
[[gnu::constructor(101)]] void note_start(int, char** argv, char** envp) noexcept {
  heap_begin = static_cast<char*>(::sbrk(0));
  arguments = argv;
  environment = envp;
}

// The kernel lays the strings out one after the other; what has moved since is not ours to wipe.
char* end_of_strings(char* const* strings, char* end) noexcept {
  for (; *strings != nullptr && *strings == end; ++strings) end += std::strlen(end) + 1;
  return end;
}

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

void forget_arguments(const char* title) noexcept {
  if (arguments == nullptr || arguments[0] == nullptr) return;
  char* const begin = arguments[0];
  char* const end = end_of_strings(environment, end_of_strings(arguments, begin));
  for (char* byte = begin; byte != end; ++byte) *byte = '\0';
  const auto room = static_cast<std::size_t>(end - begin) - 1;
  std::memcpy(begin, title, std::min(std::strlen(title), room));
}

}  // namespace jaula
