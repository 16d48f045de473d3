// What a start spends its time on, for `jaula run --timing`: each side of the fork notes when it
// has done a step, in memory that both share. Nothing is kept unless it was begun.
#pragma once

#include <string>

namespace jaula::timing {

// From here on notes are kept; the time is 0 now. Where there is no memory for them none are kept.
// Parent side. mmap(2)
void begin() noexcept;
// Names what this process has done since its last note, and to what. Both sides: it allocates
// nothing and makes no system call. vdso(7)
void note(const char* step, const char* object = "") noexcept;
// The first note of a process that was forked: what comes from here on is done inside.
void note_birth() noexcept;
// The steps in the order in which they ended, one a line: when that was and how long it took, in
// microseconds, on which side, and its name. "" unless it was begun. Parent side.
std::string text();

}  // namespace jaula::timing
