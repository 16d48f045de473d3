#include "runtime/plan/seccomp_compile.h"

#include <linux/audit.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

// The program, from its first instruction:
//
//   load the architecture; not x86-64 (so i386 by int 0x80, or a 32-bit program) -> ENOSYS
//   load the number
//   >= middle of the ranges? -> upper half : lower half     and so on, at most 8 deep
//   a leaf: one return, or the comparisons of an ArgumentRule
//
// x32 calls have the x86-64 architecture and bit 30 in the number. They need no test of their own:
// the last range reaches from there, or in our own profiles from the first unknown number, to 2^32
// and is ENOSYS.
//
// The kernel (5.11 and later) runs the filter once per number at installation, with the number and
// the architecture alone, and remembers in a bitmap which are always allowed: these then cost one
// bit test instead of a program. It gives up on a path that loads an argument, so no argument is
// loaded before a leaf that needs it.

namespace jaula::plan {
namespace {

// Where an instruction stands, counted from the end of the program.
using Label = std::size_t;

// Builds a program from its last instruction to its first: every jump target is there before the
// jump, so offsets are known when they are written.
class Assembler {
 public:
  Label give(Action action) {
    for (const Return& known : returns_)
      if (known.action == action && in_reach(known.label)) return known.label;
    const Label label = put(BPF_STMT(BPF_RET | BPF_K, static_cast<std::uint32_t>(action)));
    returns_.push_back({action, label});
    return label;
  }

  Label branch(std::uint16_t comparison, std::uint32_t value, Label yes, Label no) {
    yes = near(yes);
    no = near(no);
    const std::uint16_t code = BPF_JMP | comparison | BPF_K;
    const auto jump_yes = static_cast<std::uint8_t>(distance(yes));
    const auto jump_no = static_cast<std::uint8_t>(distance(no));
    return put(BPF_JUMP(code, value, jump_yes, jump_no));
  }

  Label load(std::size_t offset, Label next) {
    fall_through_to(next);
    return put(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }

  Label mask(std::uint32_t bits, Label next) {
    fall_through_to(next);
    return put(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits));
  }

  std::vector<sock_filter> finish() && {
    std::reverse(program_.begin(), program_.end());
    return std::move(program_);
  }

 private:
  struct Return {
    Action action;
    Label label;
  };

  // Conditional jumps skip at most 255 instructions. One less here: the other target of the same
  // branch may need a long jump, put between.
  static constexpr std::size_t kReach = 254;

  [[nodiscard]] std::size_t distance(Label target) const { return program_.size() - target - 1; }
  [[nodiscard]] bool in_reach(Label target) const { return distance(target) <= kReach; }

  Label put(sock_filter instruction) {
    program_.push_back(instruction);
    return program_.size() - 1;
  }

  Label jump(Label target) {
    return put(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(distance(target))));
  }

  Label near(Label target) { return in_reach(target) ? target : jump(target); }

  void fall_through_to(Label next) {
    if (distance(next) != 0) jump(next);
  }

  std::vector<sock_filter> program_;
  std::vector<Return> returns_;
};

constexpr std::uint32_t kX32 = 0x40000000;  // __X32_SYSCALL_BIT

constexpr std::size_t low_half(unsigned argument) {
  return offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t);
}
constexpr std::size_t high_half(unsigned argument) { return low_half(argument) + 4; }

// Code that expects a word of the call in the accumulator, or does not care what is in it.
struct Entry {
  Label code;
  std::optional<std::size_t> word = {};  // by its offset
};

Label enter(Assembler& out, const Entry& entry, std::optional<std::size_t> loaded) {
  if (!entry.word || entry.word == loaded) return entry.code;
  return out.load(*entry.word, entry.code);
}

// One word against one value, with what is asked of it: BPF_JEQ, BPF_JGT or BPF_JGE.
struct WordTest {
  std::uint16_t jump;
  std::size_t word;
  std::uint32_t value;
  std::uint32_t mask = UINT32_MAX;
};

Entry test_word(Assembler& out, const WordTest& test, const Entry& yes, const Entry& no) {
  if (test.mask == 0) return test.value == 0 ? yes : no;
  const bool masked = test.mask != UINT32_MAX;
  const auto loaded = masked ? std::nullopt : std::optional(test.word);
  const Label if_no = enter(out, no, loaded);
  const Label if_yes = enter(out, yes, loaded);
  const Label code = out.branch(test.jump, test.value, if_yes, if_no);
  return {masked ? out.mask(test.mask, code) : code, test.word};
}

constexpr std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
constexpr std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

Entry test_equal(Assembler& out, const Condition& condition, const Entry& yes, const Entry& no) {
  const auto& [argument, value, mask, comparison] = condition;
  const Entry rest = test_word(out, {BPF_JEQ, low_half(argument), low(value), low(mask)}, yes, no);
  if (comparison == Comparison::kEqual32) return rest;
  return test_word(out, {BPF_JEQ, high_half(argument), high(value), high(mask)}, rest, no);
}

// The high half decides unless it is the same; then the low half does.
Entry test_order(Assembler& out, const Condition& condition, std::uint16_t jump, const Entry& yes,
                 const Entry& no) {
  const unsigned argument = condition.argument;
  const std::uint32_t value = high(condition.value);
  const Entry rest = test_word(out, {jump, low_half(argument), low(condition.value)}, yes, no);
  const Entry same = test_word(out, {BPF_JEQ, high_half(argument), value}, rest, no);
  return test_word(out, {BPF_JGT, high_half(argument), value}, yes, same);
}

Entry test(Assembler& out, const Condition& condition, const Entry& yes, const Entry& no) {
  switch (condition.comparison) {
    case Comparison::kEqual32:
    case Comparison::kEqual:
      return test_equal(out, condition, yes, no);
    case Comparison::kNotEqual:
      return test_equal(out, condition, no, yes);
    case Comparison::kGreater:
      return test_order(out, condition, BPF_JGT, yes, no);
    case Comparison::kGreaterOrEqual:
      return test_order(out, condition, BPF_JGE, yes, no);
    case Comparison::kLess:
      return test_order(out, condition, BPF_JGE, no, yes);
    case Comparison::kLessOrEqual:
      return test_order(out, condition, BPF_JGT, no, yes);
  }
  return no;
}

bool is_there(const Clause& clause, const Policy& policy) {
  return (clause.needs & ~policy.capabilities) == 0 && (clause.unless & policy.capabilities) == 0 &&
         (policy.limits_tcp || !clause.limits_tcp);
}

Label inspect(Assembler& out, const ArgumentRule& rule, const Policy& policy) {
  Entry next{out.give(rule.otherwise)};
  for (auto clause = rule.clauses.rbegin(); clause != rule.clauses.rend(); ++clause) {
    if (!is_there(*clause, policy)) continue;
    Entry target{out.give(clause->then)};
    for (const Condition& condition : clause->more) target = test(out, condition, target, next);
    if (clause->also) target = test(out, *clause->also, target, next);
    next = test(out, clause->when, target, next);
  }
  return enter(out, next, std::nullopt);
}

// Neighbouring numbers with one answer.
struct Range {
  std::uint32_t first;
  Action action;
};

std::vector<Range> to_ranges(const Policy& policy) {
  std::vector<Range> ranges;
  const auto add = [&ranges](std::size_t number, Action action) {
    if (ranges.empty() || ranges.back().action != action || action == Action::kByArguments)
      ranges.push_back({static_cast<std::uint32_t>(number), action});
  };
  for (std::size_t number = 0; number < policy.actions.size(); ++number)
    add(number, policy.actions[number]);
  add(policy.actions.size(), policy.above);
  add(kX32, Action::kNoSuchCall);
  return ranges;
}

class TreeCompiler {
 public:
  TreeCompiler(Assembler& out, const Policy& policy) : out_(out), policy_(policy) {}

  Label compile(std::span<const Range> ranges) {
    if (ranges.size() == 1) return leaf(ranges.front());
    const auto upper = ranges.subspan(ranges.size() / 2);
    const Label if_above = compile(upper);
    const Label if_below = compile(ranges.first(ranges.size() / 2));
    return out_.branch(BPF_JGE, upper.front().first, if_above, if_below);
  }

 private:
  Label leaf(const Range& range) {
    if (range.action != Action::kByArguments) return out_.give(range.action);
    const auto rule = std::find_if(
        policy_.rules.begin(), policy_.rules.end(), [&range](const ArgumentRule& candidate) {
          return static_cast<std::uint32_t>(candidate.number) == range.first;
        });
    return inspect(out_, *rule, policy_);
  }

  Assembler& out_;
  const Policy& policy_;
};

}  // namespace

std::vector<sock_filter> compile(const Policy& policy) {
  Assembler out;
  const std::vector<Range> ranges = to_ranges(policy);
  Label start = TreeCompiler(out, policy).compile(ranges);
  start = out.load(offsetof(seccomp_data, nr), start);
  start = out.branch(BPF_JEQ, AUDIT_ARCH_X86_64, start, out.give(Action::kNoSuchCall));
  out.load(offsetof(seccomp_data, arch), start);
  return std::move(out).finish();
}

}  // namespace jaula::plan
