#include "cli/table.h"

#include <algorithm>

#include "runtime/base/text.h"

namespace jaula::cli {

std::string to_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], escaped(row[i]).size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell = escaped(row[i]);
      text += cell;
      if (i + 1 < row.size()) text.append(widths[i] - cell.size() + 3, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace jaula::cli
