#include "runtime/plan/doctor.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "runtime/base/text.h"

namespace jaula::plan {
namespace {

constexpr std::size_t kStateWidth = 10;
constexpr std::size_t kCheckWidth = 18;

std::string_view state_name(FindingState state) {
  switch (state) {
    case FindingState::kOk:
      return "ok";
    case FindingState::kDegraded:
      return "degraded";
    case FindingState::kMissing:
      return "missing";
  }
  return "";
}

void pad(std::string& line, std::size_t width) {
  line.append(line.size() < width ? width - line.size() : 1, ' ');
}

}  // namespace

DoctorFacts probe_for_doctor() {
  return {.host = probe_for_start(), .kernel = probe_kernel(), .machine = probe_machine()};
}

bool is_usable(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.state == FindingState::kMissing;
  });
}

std::string to_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    std::string line(state_name(finding.state));
    pad(line, kStateWidth);
    line += finding.check;
    pad(line, kStateWidth + kCheckWidth);
    // Firmware and cgroup names are foreign bytes.
    text += line + escaped(finding.what) + "\n";
    if (!finding.remedy.empty())
      text += std::string(kStateWidth + kCheckWidth, ' ') + escaped(finding.remedy) + "\n";
  }
  return text;
}

std::string to_json(const std::vector<Finding>& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings)
    list.push_back({{"check", finding.check},
                    {"state", state_name(finding.state)},
                    {"what", finding.what},
                    {"remedy", finding.remedy}});
  nlohmann::ordered_json report;
  report["usable"] = is_usable(findings);
  report["findings"] = std::move(list);
  using Json = nlohmann::ordered_json;
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace jaula::plan
