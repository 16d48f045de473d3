// The words of libseccomp and of the OCI runtime specification for actions, operators and the rest
// of a filter, and the names of errnos. Parent side. seccomp_rule_add(3)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/spec/json_writer.h"
#include "runtime/spec/seccomp.h"

namespace jaula::spec {

// A value has one word where it is written: the first of its own.
inline constexpr Word<SeccompAction> kSeccompActions[] = {
    {SeccompAction::kKillThread, "SCMP_ACT_KILL_THREAD"},
    {SeccompAction::kKillThread, "SCMP_ACT_KILL"},
    {SeccompAction::kKillProcess, "SCMP_ACT_KILL_PROCESS"},
    {SeccompAction::kTrap, "SCMP_ACT_TRAP"},
    {SeccompAction::kErrno, "SCMP_ACT_ERRNO"},
    {SeccompAction::kLog, "SCMP_ACT_LOG"},
    {SeccompAction::kAllow, "SCMP_ACT_ALLOW"}};

inline constexpr Word<SeccompOperator> kSeccompOperators[] = {
    {SeccompOperator::kNotEqual, "SCMP_CMP_NE"},
    {SeccompOperator::kLess, "SCMP_CMP_LT"},
    {SeccompOperator::kLessOrEqual, "SCMP_CMP_LE"},
    {SeccompOperator::kEqual, "SCMP_CMP_EQ"},
    {SeccompOperator::kGreaterOrEqual, "SCMP_CMP_GE"},
    {SeccompOperator::kGreater, "SCMP_CMP_GT"},
    {SeccompOperator::kMaskedEqual, "SCMP_CMP_MASKED_EQ"}};

inline constexpr Word<SeccompFlag> kSeccompFlags[] = {
    {SeccompFlag::kLog, "SECCOMP_FILTER_FLAG_LOG"},
    {SeccompFlag::kSpecAllow, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"}};

template <class Enum, std::size_t kSize>
std::optional<Enum> find_word(const Word<Enum> (&words)[kSize], std::string_view text) {
  for (const Word<Enum>& word : words)
    if (word.text == text) return word.value;
  return std::nullopt;
}

inline constexpr std::uint32_t kMaxErrno = 4095;  // what a filter can answer; errno(3)
inline constexpr std::uint32_t kSeccompArguments = 6;

// EPERM is 1; nullopt for what is no errno's name.
std::optional<std::uint32_t> errno_number(std::string_view name);

}  // namespace jaula::spec
