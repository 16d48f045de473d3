#include "runtime/spec/shell_words.h"

namespace jaula::spec {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// What follows an opening quote is appended to `word`; the offset behind the closing one, or npos.
std::size_t take_quoted(std::string_view text, std::size_t at, char quote, std::string& word) {
  constexpr std::string_view kEscapable = "\"\\$`\n";
  for (; at < text.size(); ++at) {
    if (text[at] == quote) return at + 1;
    const bool escapes = quote == '"' && text[at] == '\\' && at + 1 < text.size() &&
                         kEscapable.find(text[at + 1]) != std::string_view::npos;
    if (escapes && text[++at] == '\n') continue;
    word += text[at];
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<std::vector<std::string>> split_shell_words(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (is_blank(c)) {
      in_word = false;
      continue;
    }
    if (c == '\\' && at == text.size()) return std::nullopt;
    if (c == '\\' && text[at] == '\n') {
      ++at;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == '\'' || c == '"') {
      at = take_quoted(text, at, c, words.back());
      if (at == std::string_view::npos) return std::nullopt;
    } else {
      words.back() += c == '\\' ? text[at++] : c;
    }
  }
  return words;
}

}  // namespace jaula::spec
