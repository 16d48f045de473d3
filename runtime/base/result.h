// A value or an Error, spelled like std::expected (which g++ 12 has only from C++23 on).
#pragma once

#include <utility>
#include <variant>

#include "runtime/base/error.h"

namespace jaula {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept
      : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(const Error& error) noexcept
      : held_(std::in_place_index<1>, error) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] T& value() & noexcept { return *std::get_if<0>(&held_); }
  [[nodiscard]] const T& value() const& noexcept { return *std::get_if<0>(&held_); }
  [[nodiscard]] T&& value() && noexcept { return std::move(*std::get_if<0>(&held_)); }
  [[nodiscard]] Error& error() & noexcept { return *std::get_if<1>(&held_); }
  [[nodiscard]] const Error& error() const& noexcept { return *std::get_if<1>(&held_); }
  T& operator*() & noexcept { return value(); }
  const T& operator*() const& noexcept { return value(); }
  T* operator->() noexcept { return &value(); }
  const T* operator->() const noexcept { return &value(); }

 private:
  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() noexcept = default;
  Result(const Error& error) noexcept
      : error_(error), ok_(false) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok_; }
  void value() const noexcept {}
  [[nodiscard]] Error& error() & noexcept { return error_; }
  [[nodiscard]] const Error& error() const& noexcept { return error_; }

 private:
  Error error_{0};
  bool ok_ = true;
};

}  // namespace jaula

// Takes the value out of a Result, or returns its Error from the enclosing function. Nothing
// else in the same expression may have an effect or own anything: what of it has been done when the
// function returns is left open (GCC, "Statement Exprs").
#define TRY(expression)                      \
  __extension__({                            \
    auto try_result_ = (expression);         \
    if (!try_result_) [[unlikely]]           \
      return std::move(try_result_).error(); \
    std::move(try_result_).value();          \
  })
