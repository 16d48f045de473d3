// Runs a seccomp filter as the kernel would, on calls that are never made. Tests only. seccomp(2)
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace jaula::test {

struct Evaluation {
  std::uint32_t value = 0;        // what the filter returned
  std::string error;              // not empty: the kernel would have refused the program
  std::vector<std::size_t> path;  // the instructions executed
};

// Knows the instructions the filter compiler uses; any other is an error, as is a load that is
// unaligned or outside `call`, a jump behind the end, and an end that is not a return.
Evaluation evaluate(std::span<const sock_filter> program, const seccomp_data& call);

}  // namespace jaula::test
