#include "runtime/spec/interpolate.h"

#include <stdlib.h>

#include <utility>

#include "runtime/spec/characters.h"

namespace jaula::spec {
namespace {

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string_view name_prefix(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() &&
         (starts_name(text[size]) || (size > 0 && text[size] >= '0' && text[size] <= '9')))
    ++size;
  return text.substr(0, size);
}

// The offset of the brace that closes the one before `text`, or npos.
std::size_t closing_brace(std::string_view text) {
  std::size_t open = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++open;
    if (text[i] == '}' && --open == 0) return i;
  }
  return std::string_view::npos;
}

class Interpolator {
 public:
  Interpolator(const Variables& variables, std::size_t max) : variables_(variables), max_(max) {}

  Interpolation run(std::string_view text) && {
    result_.text = expand(text, 0);
    return std::move(result_);
  }

 private:
  std::string expand(std::string_view text, std::size_t depth) {
    std::string out;
    while (result_.error.empty()) {
      const std::size_t dollar = text.find('$');
      out.append(text.substr(0, dollar));
      if (out.size() > max_) fail("variables expand to more than 4 MiB of text");
      if (dollar == std::string_view::npos) break;
      text.remove_prefix(dollar + 1);
      if (text.starts_with('$')) {
        out += '$';
        text.remove_prefix(1);
      } else if (text.starts_with('{')) {
        text.remove_prefix(1);
        out += expand_braced(text, depth);
      } else {
        const std::string_view name = name_prefix(text);
        if (name.empty()) return fail("a lone `$`; write `$$` for a dollar sign");
        text.remove_prefix(name.size());
        out += plain(name);
      }
    }
    return out;
  }

  // Takes `NAME…}` off the front of `rest`.
  std::string expand_braced(std::string_view& rest, std::size_t depth) {
    const std::size_t end = closing_brace(rest);
    if (end == std::string_view::npos)
      return fail("`${` without `}`; write `$$` for a dollar sign");
    const std::string_view inside = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::string_view name = name_prefix(inside);
    std::string_view operation = inside.substr(name.size());
    if (name.empty()) return bad_form(inside);
    if (operation.empty()) return plain(name);
    const bool empty_counts = !operation.starts_with(':');  // as a value
    if (!empty_counts) operation.remove_prefix(1);
    if (operation.empty()) return bad_form(inside);
    if (depth == kMaxNesting) return fail("defaults nested more than 16 deep");
    std::optional<std::string> value = variables_.find(name);
    if (value && value->empty() && !empty_counts) value.reset();
    const std::string_view word = operation.substr(1);
    switch (operation[0]) {
      case '-':
        return value ? *value : expand(word, depth + 1);
      case '+':
        return value ? expand(word, depth + 1) : std::string();
      case '?':
        return value ? *value : required(name, word, depth);
      default:
        return bad_form(inside);
    }
  }

  std::string plain(std::string_view name) {
    if (std::optional<std::string> value = variables_.find(name)) return *std::move(value);
    result_.unset.emplace_back(name);
    return {};
  }

  std::string required(std::string_view name, std::string_view word, std::size_t depth) {
    const std::string reason = expand(word, depth + 1);
    return fail("required variable `" + std::string(name) + "` is not set" +
                (reason.empty() ? "" : ": " + reason));
  }

  std::string bad_form(std::string_view inside) {
    return fail("cannot read `${" + clipped(inside) +
                "}`; forms are ${NAME} ${NAME:-default} ${NAME:?message} ${NAME:+replacement}");
  }

  std::string fail(std::string text) {
    if (result_.error.empty()) result_.error = std::move(text);
    return {};
  }

  const Variables& variables_;
  std::size_t max_;
  Interpolation result_;
};

}  // namespace

void Variables::set(std::string name, std::string value) {
  values_.insert_or_assign(std::move(name), std::move(value));
}

std::optional<std::string> Variables::find(std::string_view name) const {
  if (outer_ != nullptr) {
    if (auto value = outer_->find(name)) return value;
  } else if (const char* value = ::getenv(std::string(name).c_str())) {
    return value;
  }
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

Interpolation interpolate(std::string_view text, const Variables& variables, std::size_t max) {
  Interpolation result = Interpolator(variables, max).run(text);
  if (result.error.empty() && find_invalid_utf8(result.text) != std::string_view::npos)
    result.error = "a variable's value is not valid UTF-8";
  return result;
}

}  // namespace jaula::spec
