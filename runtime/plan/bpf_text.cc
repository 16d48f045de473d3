// Classic BPF as text, of the instructions that the compiler of filters writes.
#include <linux/audit.h>

#include <cstddef>
#include <cstdio>
#include <optional>
#include <vector>

#include "runtime/plan/seccomp_text.h"

namespace jaula::plan {
namespace {

constexpr std::size_t kArguments = offsetof(seccomp_data, args);

// Which word of the call is in the accumulator before each instruction; nothing where the ways that
// lead there differ.
std::vector<std::optional<std::uint32_t>> loaded_words(std::span<const sock_filter> program) {
  struct Seen {
    bool any = false;
    std::optional<std::uint32_t> word;
  };
  std::vector<Seen> seen(program.size() + 1);
  const auto reach = [&](std::size_t at, const std::optional<std::uint32_t>& word) {
    if (at >= seen.size()) return;
    seen[at].word = seen[at].any && seen[at].word != word ? std::nullopt : word;
    seen[at].any = true;
  };
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& one = program[at];
    std::optional<std::uint32_t> word = seen[at].word;
    if (BPF_CLASS(one.code) == BPF_LD) word = one.k;
    if (BPF_CLASS(one.code) == BPF_RET) continue;
    if (one.code == (BPF_JMP | BPF_JA)) {
      reach(at + 1 + one.k, word);
    } else if (BPF_CLASS(one.code) == BPF_JMP) {
      reach(at + 1 + one.jt, word);
      reach(at + 1 + one.jf, word);
    } else {
      reach(at + 1, word);
    }
  }
  std::vector<std::optional<std::uint32_t>> words;
  for (std::size_t at = 0; at < program.size(); ++at) words.push_back(seen[at].word);
  return words;
}

std::string word_name(std::uint32_t offset) {
  if (offset == offsetof(seccomp_data, nr)) return "number";
  if (offset == offsetof(seccomp_data, arch)) return "architecture";
  const std::size_t index = (offset - kArguments) / sizeof(std::uint64_t);
  return "arg" + std::to_string(index) +
         ((offset - kArguments) % sizeof(std::uint64_t) == 0 ? " low" : " high");
}

std::string value_name(std::uint32_t value, const std::optional<std::uint32_t>& word) {
  if (word == offsetof(seccomp_data, nr)) {
    const std::string_view name = spec::syscall_name(static_cast<int>(value));
    return name.empty() ? (value == 0x40000000 ? "x32" : "") : std::string(name);
  }
  return word == offsetof(seccomp_data, arch) && value == AUDIT_ARCH_X86_64 ? "x86-64" : "";
}

struct Text {
  std::string code;
  std::string note = {};
};

Text text_of(const sock_filter& one, std::size_t at, const std::optional<std::uint32_t>& word) {
  const auto line = [&](std::size_t skipped) { return std::to_string(at + 1 + skipped); };
  char value[16];
  std::snprintf(value, sizeof value, "#0x%x", one.k);
  const auto jump = [&](const char* name) {
    return Text{std::string(name) + ' ' + value + ", " + line(one.jt) + ", " + line(one.jf),
                value_name(one.k, word)};
  };
  switch (one.code) {
    case BPF_LD | BPF_W | BPF_ABS:
      return {"ld [" + std::to_string(one.k) + "]", word_name(one.k)};
    case BPF_ALU | BPF_AND | BPF_K:
      return {std::string("and ") + value};
    case BPF_JMP | BPF_JA:
      return {"ja " + line(one.k)};
    case BPF_JMP | BPF_JEQ | BPF_K:
      return jump("jeq");
    case BPF_JMP | BPF_JGE | BPF_K:
      return jump("jge");
    case BPF_JMP | BPF_JGT | BPF_K:
      return jump("jgt");
    case BPF_RET | BPF_K:
      return {std::string("ret ") + value, action_text(one.k)};
    default:
      return {"code " + std::to_string(one.code) + ' ' + value};
  }
}

}  // namespace

std::string disassemble(std::span<const sock_filter> program) {
  const auto words = loaded_words(program);
  std::string out;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const Text text = text_of(program[at], at, words[at]);
    char line[96];
    if (text.note.empty())
      std::snprintf(line, sizeof line, "%4zu %s\n", at, text.code.c_str());
    else
      std::snprintf(line, sizeof line, "%4zu %-28s ; %s\n", at, text.code.c_str(),
                    text.note.c_str());
    out += line;
  }
  return out;
}

}  // namespace jaula::plan
