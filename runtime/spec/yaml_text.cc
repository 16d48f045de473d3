#include "runtime/spec/yaml_text.h"

#include <algorithm>

#include "runtime/spec/units.h"

namespace jaula::spec {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Narrower than YAML's own rule: these need no quotes inside [flow, lists] either.
bool may_stand_plain(std::string_view text) {
  constexpr std::string_view kInside = " _./:=@%+~^$()-";
  constexpr std::string_view kFirst = "_./+~$(-";
  if (is_ambiguous_plain(text) || text.back() == ' ' || text.back() == ':') return false;
  if (!is_letter_or_digit(text[0]) && kFirst.find(text[0]) == std::string_view::npos) return false;
  if (text == "-" || text.starts_with("- ") || text.starts_with("---") || text.starts_with("...") ||
      text.find(": ") != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter_or_digit(c) || kInside.find(c) != std::string_view::npos;
  });
}

std::string hex_escape(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F drive terminals, and \xNN names a character, not a byte.
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte == '"' || byte == '\\')
      out.append({'\\', text[i]});
    else if (byte == '\n')
      out += "\\n";
    else if (byte == '\t')
      out += "\\t";
    else if (byte < 0x20 || byte == 0x7F)
      out += hex_escape(byte);
    else if (c1)
      out += hex_escape(static_cast<unsigned char>(text[++i]));
    else
      out += text[i];
  }
  return out + '"';
}

}  // namespace

std::string yaml_key(std::string_view text) {
  return may_stand_plain(text) ? std::string(text) : quoted(text);
}

std::string yaml_value(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled.append(c == '$' ? 2 : 1, c);
  return yaml_key(doubled);
}

}  // namespace jaula::spec
