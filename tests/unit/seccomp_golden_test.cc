// What the compiled filters answer for every number of every ABI, against tests/golden/. A change
// of policy is a readable diff there: UPDATE_GOLDEN=1 writes it, a person reviews it.
#include <doctest/doctest.h>
#include <linux/capability.h>
#include <stdlib.h>

#include <fstream>

#include "runtime/plan/capabilities.h"
#include "runtime/plan/seccomp.h"
#include "runtime/spec/syscall_names.h"
#include "tests/unit/seccomp_calls.h"

namespace jaula::test {
namespace {

using plan::compile_seccomp;
using spec::SeccompProfile;
using Lines = std::vector<std::string>;

Lines describe_native(const Filter& filter) {
  Lines lines;
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    const std::string name(spec::syscall_name(static_cast<int>(number)));
    const std::string head = std::to_string(number) + " " + (name.empty() ? "-" : name) + " ";
    const auto all = answers(filter, number);
    lines.push_back(head + (all.size() == 1 ? *all.begin() : "by its arguments"));
    if (all.size() == 1) continue;
    for (const ArgumentCase& one : kArgumentCases)
      if (one.call == name)
        lines.push_back("  " + name + "(" + std::string(one.text) + ") " +
                        answer(filter, call_of(number, one.arguments)));
  }
  return lines;
}

// One line for each run of numbers with the same answers.
Lines describe_foreign(const Filter& filter, const std::string& abi, std::uint32_t architecture,
                       std::uint32_t bits) {
  Lines lines;
  std::set<std::string> run;
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    const auto all = answers(filter, number | bits, architecture);
    if (all == run) continue;
    run = all;
    std::string line = abi + " from " + std::to_string(number) + " on:";
    for (const std::string& one : all) line += " " + one;
    lines.push_back(line);
  }
  return lines;
}

// The native lines that are different once the jail has the capability.
Lines describe_capability(const Lines& without, int capability) {
  const std::uint64_t mask = std::uint64_t{1} << capability;
  const std::set<std::string> known(without.begin(), without.end());
  Lines lines;
  for (const std::string& line : describe_native(compile_seccomp(SeccompProfile::kDefault, mask)))
    if (!known.contains(line)) lines.push_back(line);
  if (!lines.empty())
    lines.insert(lines.begin(), "with " + plan::capability_name(capability) + ":");
  return lines;
}

void append(Lines& lines, const Lines& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

Lines describe(SeccompProfile profile) {
  const Filter filter = compile_seccomp(profile, 0);
  Lines lines = describe_native(filter);
  append(lines, describe_foreign(filter, "i386", AUDIT_ARCH_I386, 0));
  append(lines, describe_foreign(filter, "x32", AUDIT_ARCH_X86_64, kX32));
  append(lines, describe_foreign(filter, "aarch64", AUDIT_ARCH_AARCH64, 0));
  return lines;
}

void check_golden(const std::string& name, const Lines& lines) {
  const std::string path = JAULA_SOURCE_DIR "/tests/golden/" + name;
  if (::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream file(path);
    for (const std::string& line : lines) file << line << '\n';
    REQUIRE(file.flush());
    return;
  }
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path);
  std::string expected;
  for (const std::string& line : lines) {
    REQUIRE_MESSAGE(std::getline(file, expected), path << " ends before: " << line);
    CHECK(line == expected);
  }
  CHECK_MESSAGE(!std::getline(file, expected), path << " goes on: " << expected);
}

}  // namespace

TEST_CASE(
    "seccomp: the default profile, and what each capability adds, is as its golden file says") {
  Lines lines = describe(SeccompProfile::kDefault);
  const Lines without = lines;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability)
    append(lines, describe_capability(without, capability));
  check_golden("seccomp-default.txt", lines);
}

TEST_CASE("seccomp: the strict profile is as its golden file says") {
  check_golden("seccomp-strict.txt", describe(SeccompProfile::kStrict));
}

}  // namespace jaula::test
