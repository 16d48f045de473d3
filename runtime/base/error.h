// The one error of jaula: plain bytes, so the same object is returned, given context, sent through
// the socket between child and parent, and printed. No heap, no stdio: usable after clone.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace jaula {

// What `jaula` itself exits with; podman and docker use the same numbers.
enum class ExitCode : std::uint8_t {
  kTimeLimit = 124,
  kFailure = 125,
  kNotExecutable = 126,
  kNotFound = 127,
};

struct Octal {  // prints as 0755
  unsigned value;
};

class [[nodiscard]] Error {
 public:
  // `code` is an errno, or 0 when no kernel call said no. The parts are the operation and its
  // operands: Error(errno, "mount ", source, " on ", target).
  template <class... Parts>
  [[gnu::cold]] explicit Error(int code, const Parts&... parts) noexcept : code_(code) {
    (append(parts), ...);
  }

  // Says where, in front of what is there: "web.yaml:9:5: …". Each layer adds one at most.
  template <class... Parts>
  [[gnu::cold]] Error& in(const Parts&... parts) & noexcept {
    prepend(Error(0, parts...).text());
    return *this;
  }
  template <class... Parts>
  Error&& in(const Parts&... parts) && noexcept {
    return static_cast<Error&&>(in(parts...));
  }

  // Says what to do, printed on a line of its own.
  template <class... Parts>
  [[gnu::cold]] Error& hint(const Parts&... parts) & noexcept {
    hint_size_ = 0;
    hinting_ = true;
    (append(parts), ...);
    hinting_ = false;
    return *this;
  }
  template <class... Parts>
  Error&& hint(const Parts&... parts) && noexcept {
    return static_cast<Error&&>(hint(parts...));
  }

  Error& exits(ExitCode code) & noexcept {
    exit_ = code;
    return *this;
  }
  Error&& exits(ExitCode code) && noexcept { return static_cast<Error&&>(exits(code)); }

  // Which entry of a list of the plan failed (a mount, a limit); the parent knows its spec line.
  Error& at(int index) & noexcept {
    index_ = static_cast<std::int16_t>(index);
    return *this;
  }

  // The code is for callers, the text says it all: no reason is printed after it.
  Error& self_explaining() & noexcept {
    explained_ = true;
    return *this;
  }

  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] ExitCode exit_code() const noexcept { return exit_; }
  [[nodiscard]] int index() const noexcept { return index_; }
  [[nodiscard]] std::string_view text() const noexcept { return {bytes_, text_size_}; }
  [[nodiscard]] std::string_view hint_text() const noexcept {
    return {bytes_ + text_size_, hint_size_};
  }
  // strerror of the code, "" when it is 0.
  [[nodiscard]] std::string_view reason() const noexcept;

 private:
  void append(std::string_view part) noexcept;
  void append(char part) noexcept { append(std::string_view(&part, 1)); }
  void append(Octal part) noexcept;
  void append_number(std::uint64_t magnitude, bool negative) noexcept;
  template <std::integral T>
  requires(!std::same_as<T, char> && !std::same_as<T, bool>) void append(T part) noexcept {
    if constexpr (std::is_signed_v<T>) {
      const auto wide = static_cast<std::int64_t>(part);
      append_number(
          wide < 0 ? ~static_cast<std::uint64_t>(wide) + 1 : static_cast<std::uint64_t>(wide),
          wide < 0);
    } else {
      append_number(part, false);
    }
  }
  void prepend(std::string_view part) noexcept;

  std::int32_t code_ = 0;
  std::int16_t index_ = -1;
  std::uint16_t text_size_ = 0;
  std::uint16_t hint_size_ = 0;
  ExitCode exit_ = ExitCode::kFailure;
  bool hinting_ = false;
  bool explained_ = false;
  char bytes_[496] = {};  // text, then hint
};
static_assert(std::is_trivially_copyable_v<Error> && sizeof(Error) <= 512);

}  // namespace jaula
