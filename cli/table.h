// Columns for people.
#pragma once

#include <string>
#include <vector>

namespace jaula::cli {

// Rows as lines, columns padded to their widest cell; what a cell holds is escaped.
std::string to_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace jaula::cli
