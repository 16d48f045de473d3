// One owned file descriptor. Both sides of the fork. open(2), close(2)
#pragma once

#include <unistd.h>

#include <utility>

namespace jaula {

class [[nodiscard]] Fd {  // move-only; -1 owns nothing
 public:
  constexpr Fd() noexcept = default;
  explicit constexpr Fd(int number) noexcept : number_(number) {}
  Fd(Fd&& other) noexcept : number_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    Fd gone(std::exchange(number_, other.release()));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    // Never retried: on Linux the descriptor is gone even when close says EINTR.
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }
  void reset() noexcept { *this = Fd(); }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
};

}  // namespace jaula
