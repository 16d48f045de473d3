// A command written as one string → its words, by the quoting rules of the shell, without anything
// else a shell does. Pure. POSIX.1-2017 XCU 2.2
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jaula::spec {

// nullopt: a quote is not closed, or a backslash stands at the end.
std::optional<std::vector<std::string>> split_shell_words(std::string_view text);

}  // namespace jaula::spec
