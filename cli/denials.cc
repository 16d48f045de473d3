#include "cli/denials.h"

#include <nlohmann/json.hpp>

#include "runtime/base/text.h"
#include "runtime/denial_text.h"

namespace jaula::cli {

using Json = nlohmann::ordered_json;

namespace {

Json json_of(const Denial& denial) {
  Json arguments = Json::array();
  for (const auto& number : argument_numbers(denial))
    arguments.push_back(number ? Json(*number) : Json());
  return {{"syscall", syscall_text(denial.number)},
          {"number", denial.number},
          {"arguments", std::move(arguments)},
          {"errno", "EPERM"},
          {"count", denial.count},
          {"first", rfc3339(denial.first)},
          {"last", rfc3339(denial.last)},
          {"process", {{"pid", denial.pid}, {"name", escaped(denial.process)}}}};
}

}  // namespace

std::string to_json(const Denial& denial) { return json_of(denial).dump(); }

std::string to_json(const Denials& denials) {
  Json calls = Json::array();
  for (const Denial& denial : denials.calls) calls.push_back(json_of(denial));
  const Json json = {
      {"reported", denials.reported}, {"calls", std::move(calls)}, {"others", denials.others}};
  return json.dump();
}

}  // namespace jaula::cli
