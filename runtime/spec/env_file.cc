// NAME=value files: `.env` beside a spec, and `env_file`.
#include <utility>

#include "runtime/spec/characters.h"
#include "runtime/spec/interpolate.h"

namespace jaula::spec {
namespace {

class EnvFileReader {
 public:
  EnvFileReader(std::string_view text, const Variables& variables)
      : text_(text), variables_(&variables) {}

  EnvFile run() && {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    if (const auto foreign = find_foreign_byte(text_)) {
      file_.errors.push_back(*foreign);
      return std::move(file_);
    }
    while (at_ < text_.size()) {
      read_line();
      skip_line();
    }
    return std::move(file_);
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\n'; }

  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') ++at_;
  }

  void skip_line() {
    at_ = std::min(text_.find('\n', at_), text_.size());
    ++at_;
    ++line_;
    line_start_ = at_;
  }

  void read_line() {
    skip_blanks();
    if (peek() == '\n' || peek() == '#') return;
    if (text_.substr(at_).starts_with("export ")) {
      at_ += 7;
      skip_blanks();
    }
    const std::size_t start = at_;
    while (peek() > ' ' && peek() != '=' && peek() != '#') ++at_;
    std::string name(text_.substr(start, at_ - start));
    skip_blanks();
    if (name.empty()) return fail("expected NAME=value");
    if (peek() == '\n' || peek() == '#') {
      file_.entries.emplace_back(name, variables_.find(name));
      return;
    }
    if (peek() != '=') return fail("expected `=` after the name");
    ++at_;
    skip_blanks();
    if (std::optional<std::string> value = read_value()) {
      variables_.set(name, *value);
      file_.entries.emplace_back(std::move(name), std::move(value));
    }
  }

  std::optional<std::string> read_value() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return expand(unquoted());
    const std::optional<std::string> inside = quoted(quote);
    if (!inside) return std::nullopt;
    skip_blanks();
    if (peek() != '\n' && peek() != '#') {
      fail("text after the closing quote");
      return std::nullopt;
    }
    return quote == '"' ? expand(*inside) : inside;
  }

  std::string unquoted() {
    const std::string_view rest = text_.substr(at_, text_.find('\n', at_) - at_);
    std::size_t end = rest.size();
    for (std::size_t i = 0; i < rest.size(); ++i)
      if (rest[i] == '#' && (i == 0 || rest[i - 1] == ' ' || rest[i - 1] == '\t')) {
        end = i;
        break;
      }
    const std::size_t last = rest.substr(0, end).find_last_not_of(" \t\r");
    return std::string(rest.substr(0, last == std::string_view::npos ? 0 : last + 1));
  }

  // The text up to the closing quote, over several lines if need be.
  std::optional<std::string> quoted(char quote) {
    std::string out;
    int lines = 0;
    for (std::size_t at = at_ + 1; at < text_.size(); ++at) {
      const char c = text_[at];
      if (c == quote) {
        line_ += lines;
        if (lines > 0) line_start_ = text_.rfind('\n', at) + 1;
        at_ = at + 1;
        return out;
      }
      if (c == '\n') ++lines;
      if (c == '\\' && quote == '"' && at + 1 < text_.size()) {
        if (text_[++at] == '\n') ++lines;
        out += unescaped(text_[at]);
      } else {
        out += c;
      }
    }
    fail("a quote that is never closed");
    at_ = text_.size();
    return std::nullopt;
  }

  static std::string unescaped(char c) {
    if (c == 'n') return "\n";
    if (c == 't') return "\t";
    if (c == 'r') return "\r";
    if (c == '$') return "$$";  // stays a dollar sign when variables are expanded
    if (c == '"' || c == '\\') return {c};
    return {'\\', c};
  }

  std::optional<std::string> expand(const std::string& text) {
    Interpolation result =
        interpolate(text, variables_, kMaxTextBytes - std::min(expanded_, kMaxTextBytes));
    expanded_ += result.text.size();
    for (const std::string& name : result.unset)
      note(file_.warnings, "variable `" + clipped(name) + "` is not set; it becomes empty");
    if (result.error.empty()) return std::move(result.text);
    fail(std::move(result.error));
    return std::nullopt;
  }

  void fail(std::string text) { note(file_.errors, std::move(text)); }

  void note(std::vector<Misread>& notes, std::string text) const {
    constexpr std::size_t kEnough = 20;
    if (notes.size() >= kEnough) return;
    const int column = count_characters(text_.substr(line_start_, at_ - line_start_)) + 1;
    notes.push_back({{.line = line_, .column = column}, std::move(text)});
  }

  std::string_view text_;
  Variables variables_;  // what the file defined so far, below what was known before
  EnvFile file_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  std::size_t expanded_ = 0;
  int line_ = 1;
};

}  // namespace

EnvFile parse_env_file(std::string_view text, const Variables& variables) {
  return EnvFileReader(text, variables).run();
}

}  // namespace jaula::spec
