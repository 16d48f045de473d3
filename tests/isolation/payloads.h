// Payloads as a plan has them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "isolation/payload.h"
#include "tests/isolation/inside.h"

namespace jaula::test {

// It stays where it is: there are pointers into its strings.
class TestPayload {
 public:
  explicit TestPayload(std::vector<std::string> arguments,
                       std::vector<std::string> candidates = {}) {
    payload_.candidates = candidates.empty() ? std::vector{arguments[0]} : std::move(candidates);
    payload_.arguments = std::move(arguments);
    payload_.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "GREETING=hello"};
    for (std::string& word : payload_.arguments) payload_.argv.push_back(word.data());
    for (std::string& word : payload_.environment) payload_.envp.push_back(word.data());
    payload_.argv.push_back(nullptr);
    payload_.envp.push_back(nullptr);
  }
  TestPayload(const TestPayload&) = delete;
  TestPayload& operator=(const TestPayload&) = delete;
  isolation::Payload* operator->() { return &payload_; }
  const isolation::Payload& operator*() const { return payload_; }

 private:
  isolation::Payload payload_;
};

inline std::string outcome(const Error& error) { return outcome(Result<void>(error)); }

}  // namespace jaula::test
