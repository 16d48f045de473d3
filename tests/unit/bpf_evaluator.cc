#include "tests/unit/bpf_evaluator.h"

#include <cstring>
#include <optional>

namespace jaula::test {
namespace {

std::optional<std::uint32_t> load(const seccomp_data& call, std::uint32_t offset) {
  std::uint32_t word = 0;
  if (offset % sizeof word != 0 || offset > sizeof call - sizeof word) return std::nullopt;
  std::memcpy(&word, reinterpret_cast<const char*>(&call) + offset, sizeof word);
  return word;
}

std::optional<bool> compare(std::uint16_t code, std::uint32_t accumulator, std::uint32_t value) {
  switch (code) {
    case BPF_JMP | BPF_JEQ | BPF_K:
      return accumulator == value;
    case BPF_JMP | BPF_JGE | BPF_K:
      return accumulator >= value;
    case BPF_JMP | BPF_JGT | BPF_K:
      return accumulator > value;
    case BPF_JMP | BPF_JSET | BPF_K:
      return (accumulator & value) != 0;
    default:
      return std::nullopt;
  }
}

}  // namespace

Evaluation evaluate(std::span<const sock_filter> program, const seccomp_data& call) {
  Evaluation result;
  const auto refuse = [&result](const char* why) {
    const std::string where = result.path.empty() ? "-" : std::to_string(result.path.back());
    result.error = "instruction " + where + ": " + why;
    return result;
  };
  std::uint32_t accumulator = 0;
  // Jumps go forward alone, so this ends.
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& instruction = program[at];
    result.path.push_back(at);
    if (instruction.code == (BPF_RET | BPF_K)) {
      result.value = instruction.k;
      return result;
    }
    if (instruction.code == (BPF_LD | BPF_W | BPF_ABS)) {
      const auto word = load(call, instruction.k);
      if (!word) return refuse("load out of bounds");
      accumulator = *word;
    } else if (instruction.code == (BPF_ALU | BPF_AND | BPF_K)) {
      accumulator &= instruction.k;
    } else if (instruction.code == (BPF_JMP | BPF_JA)) {
      at += instruction.k;
    } else if (const auto holds = compare(instruction.code, accumulator, instruction.k)) {
      at += *holds ? instruction.jt : instruction.jf;
    } else {
      return refuse("unknown operation");
    }
  }
  return refuse("runs out of the program");
}

}  // namespace jaula::test
