// What a process that has started its work and now only waits gives back to the machine.
#pragma once

namespace jaula {

// Lets go of the free heap and of the pages of the program itself: what is needed again is read
// from the page cache by a page fault. Parent side. malloc_trim(3), madvise(2)
void give_memory_back() noexcept;

// Lets go of the program's pages and of the whole heap: no object on it may be used any more. Takes
// no lock. Inside.
void give_all_memory_back() noexcept;

}  // namespace jaula
