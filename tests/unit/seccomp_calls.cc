#include "tests/unit/seccomp_calls.h"

#include <errno.h>

#include "runtime/spec/syscall_names.h"

namespace jaula::test {

seccomp_data call_of(std::uint32_t number, Arguments arguments, std::uint32_t architecture) {
  return {.nr = static_cast<int>(number),
          .arch = architecture,
          .instruction_pointer = 0,
          .args = {arguments[0], arguments[1], arguments[2], arguments[3], 0, 0}};
}

std::vector<seccomp_data> calls_of(std::uint32_t number) {
  const std::string_view name = spec::syscall_name(static_cast<int>(number));
  std::vector<seccomp_data> calls = {call_of(number)};
  for (const ArgumentCase& one : kArgumentCases)
    if (one.call == name) calls.push_back(call_of(number, one.arguments));
  return calls;
}

std::string answer(const Filter& filter, const seccomp_data& call) {
  const Evaluation result = evaluate(filter, call);
  if (!result.error.empty()) return result.error;
  switch (result.value) {
    case SECCOMP_RET_ALLOW:
      return "allow";
    case SECCOMP_RET_ERRNO | EPERM:
      return "EPERM";
    case SECCOMP_RET_ERRNO | ENOSYS:
      return "ENOSYS";
    case SECCOMP_RET_ERRNO | EAFNOSUPPORT:
      return "EAFNOSUPPORT";
    case SECCOMP_RET_ERRNO | EPROTONOSUPPORT:
      return "EPROTONOSUPPORT";
    case SECCOMP_RET_ERRNO | EOPNOTSUPP:
      return "EOPNOTSUPP";
    default:
      return "returned " + std::to_string(result.value);
  }
}

std::string answer(const Filter& filter, std::string_view name, Arguments arguments) {
  const auto number = spec::find_syscall(name);
  if (!number) return "no such call";
  return answer(filter, call_of(static_cast<std::uint32_t>(*number), arguments));
}

std::set<std::string> answers(const Filter& filter, std::uint32_t number,
                              std::uint32_t architecture) {
  std::set<std::string> all = {answer(filter, call_of(number, {}, architecture))};
  for (const ArgumentCase& one : kArgumentCases)
    all.insert(answer(filter, call_of(number, one.arguments, architecture)));
  return all;
}

}  // namespace jaula::test
