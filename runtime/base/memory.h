// What a process gives back to the machine when it only waits, and what it forgets.
#pragma once

namespace jaula {

// Lets go of the free heap and of the pages of the program itself: what is needed again is read
// from the page cache by a page fault. Parent side. malloc_trim(3), madvise(2)
void give_memory_back() noexcept;

// Lets go of the program's pages and of the whole heap: no object on it may be used any more. Takes
// no lock. Inside.
void give_all_memory_back() noexcept;

// Overwrites the arguments and the environment of this process, which /proc/PID/cmdline and environ
// show, with a title: those of the caller are not for whoever is in the jail. Inside. proc(5)
void forget_arguments(const char* title) noexcept;

}  // namespace jaula
