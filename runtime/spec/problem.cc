// How places and problems of a spec are printed.
#include "runtime/base/text.h"
#include "runtime/spec/service_spec.h"

namespace jaula::spec {

std::string Origin::text() const {
  if (line == 0) return escaped(file.empty() ? path : file);
  std::string text = file + ':' + std::to_string(line) + ':' + std::to_string(column);
  if (!path.empty()) text += ": " + path;
  return escaped(text);
}

std::string Problem::line() const {
  const std::string where = origin.text();
  return where.empty() ? escaped(text) : where + ": " + escaped(text);
}

bool SpecFile::ok() const {
  for (const Problem& problem : problems)
    if (!problem.warning) return false;
  return true;
}

}  // namespace jaula::spec
