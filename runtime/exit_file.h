// The file in which a jail's end is told. It exists, at its full size, from the beginning and is
// written in place: telling needs no free space, and whoever has it open needs no directory.
// Parent side.
#pragma once

#include <optional>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/jail_state.h"

namespace jaula {

// Whether there is one in `directory`/`name`: every record has one, and nothing else.
bool is_record(int directory, const std::string& name);
Result<Fd> make_exit_file(int directory);  // EEXIST when there is one
Result<Fd> open_exit_file(int directory);  // ENOENT when there is none
// Needs no free space; a detail that does not fit is shortened.
Result<void> write_exit(int file, const Exit& exit);
std::optional<Exit> read_exit(int file);  // nullopt: not told yet

}  // namespace jaula
