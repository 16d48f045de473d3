#include "runtime/spec/json_parser.h"

#include <errno.h>

#include <algorithm>
#include <charconv>

#include "runtime/spec/characters.h"

namespace jaula::spec {
namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// Writes a code point at `to`, which has room: its escape was longer.
char* put_utf8(char* to, std::uint32_t code) {
  const auto put = [&to](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
  const auto put_rest = [&](unsigned shift) { put(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put_rest(0);
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put_rest(6);
    put_rest(0);
  } else {
    put(0xF0 | (code >> 18));
    put_rest(12);
    put_rest(6);
    put_rest(0);
  }
  return to;
}

// Every function returns false at the first byte that is not JSON; at_ stands there then.
class JsonParser {
 public:
  JsonParser(std::vector<char>& bytes, std::vector<JsonNode>& nodes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), nodes_(nodes) {}

  bool parse() {
    skip_space();
    if (!value({})) return false;
    skip_space();
    return at_ == end_;
  }
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  [[nodiscard]] bool too_deep() const { return depth_ > kMaxJsonDepth; }

 private:
  bool value(std::string_view key);
  bool container(std::string_view key, JsonKind kind, char close);
  bool member(JsonKind kind);
  bool string(std::string_view& text);
  bool escape(char*& to);
  bool hex(std::uint32_t& code);
  bool number(std::string_view key);
  bool word(std::string_view word);
  void add(std::string_view key, JsonKind kind, std::uint64_t number, std::string_view text);

  bool next_is(char byte) {
    if (at_ == end_ || *at_ != byte) return false;
    ++at_;
    return true;
  }
  bool digits() {
    char* const first = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != first;
  }
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  char* const begin_;
  char* at_;
  char* const end_;
  std::vector<JsonNode>& nodes_;
  std::size_t depth_ = 0;
};

void JsonParser::add(std::string_view key, JsonKind kind, std::uint64_t number,
                     std::string_view text) {
  nodes_.push_back({.kind = kind,
                    .end = static_cast<std::uint32_t>(nodes_.size() + 1),
                    .key = key,
                    .text = text,
                    .number = number});
}

bool JsonParser::value(std::string_view key) {
  if (at_ == end_) return false;
  const auto constant = [&](std::string_view text, JsonKind kind, std::uint64_t number) {
    char* const first = at_;
    if (!word(text)) return false;
    add(key, kind, number, {first, first});
    return true;
  };
  switch (*at_) {
    case '{':
      return container(key, JsonKind::kObject, '}');
    case '[':
      return container(key, JsonKind::kArray, ']');
    case '"': {
      std::string_view text;
      if (!string(text)) return false;
      add(key, JsonKind::kString, 0, text);
      return true;
    }
    case 't':
      return constant("true", JsonKind::kBool, 1);
    case 'f':
      return constant("false", JsonKind::kBool, 0);
    case 'n':
      return constant("null", JsonKind::kOther, 0);
    default:
      return number(key);
  }
}

bool JsonParser::container(std::string_view key, JsonKind kind, char close) {
  char* const first = at_++;
  if (++depth_ > kMaxJsonDepth) return false;
  const std::size_t self = nodes_.size();
  add(key, kind, 0, {first, first});
  skip_space();
  if (!next_is(close)) {
    do {
      skip_space();
      if (!member(kind)) return false;
      skip_space();
    } while (next_is(','));
    if (!next_is(close)) return false;
  }
  nodes_[self].end = static_cast<std::uint32_t>(nodes_.size());
  --depth_;
  return true;
}

bool JsonParser::member(JsonKind kind) {
  std::string_view key;
  if (kind == JsonKind::kObject) {
    if (!string(key)) return false;
    skip_space();
    if (!next_is(':')) return false;
    skip_space();
  }
  return value(key);
}

bool JsonParser::string(std::string_view& text) {
  if (!next_is('"')) return false;
  char* const first = at_;
  bool ascii = true;
  while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20)
    ascii = static_cast<unsigned char>(*at_++) < 0x80 && ascii;
  char* to = at_;
  while (at_ != end_ && *at_ != '"') {
    if (static_cast<unsigned char>(*at_) < 0x20) return false;
    ascii = static_cast<unsigned char>(*at_) < 0x80 && ascii;
    if (*at_ != '\\')
      *to++ = *at_++;
    else if (!escape(to))
      return false;
  }
  text = {first, static_cast<std::size_t>(to - first)};
  return next_is('"') && (ascii || find_invalid_utf8(text) == text.npos);
}

bool JsonParser::escape(char*& to) {
  ++at_;
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t letter = at_ == end_ ? kLetters.npos : kLetters.find(*at_);
  if (letter != kLetters.npos) {
    *to++ = kMeanings[letter];
    ++at_;
    return true;
  }
  std::uint32_t code = 0;
  if (!next_is('u') || !hex(code)) return false;
  if (code >= 0xD800 && code < 0xE000) {  // UTF-16: a high surrogate, then a low one
    std::uint32_t low = 0;
    if (code >= 0xDC00 || !next_is('\\') || !next_is('u') || !hex(low)) return false;
    if (low < 0xDC00 || low >= 0xE000) return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  to = put_utf8(to, code);
  return true;
}

bool JsonParser::hex(std::uint32_t& code) {
  if (end_ - at_ < 4) return false;
  const auto [stop, error] = std::from_chars(at_, at_ + 4, code, 16);
  if (error != std::errc{} || stop != at_ + 4) return false;
  at_ += 4;
  return true;
}

bool JsonParser::number(std::string_view key) {
  char* const first = at_;
  const bool negative = next_is('-');
  if (!next_is('0') && !digits()) return false;
  char* const integer_end = at_;
  if (next_is('.') && !digits()) return false;
  if (next_is('e') || next_is('E')) {
    if (!next_is('-')) next_is('+');
    if (!digits()) return false;
  }
  std::uint64_t value = 0;
  std::int64_t below = 0;
  const std::from_chars_result read = negative ? std::from_chars(first, integer_end, below)
                                               : std::from_chars(first, integer_end, value);
  if (at_ != integer_end || read.ec != std::errc{})
    add(key, JsonKind::kOther, 0, {first, first});
  else if (negative)
    add(key, JsonKind::kNegative, static_cast<std::uint64_t>(below), {first, first});
  else
    add(key, JsonKind::kUnsigned, value, {first, first});
  return true;
}

bool JsonParser::word(std::string_view word) {
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

}  // namespace

Result<JsonText> parse_json(std::string_view text) {
  if (text.size() > kMaxJsonSize)
    return Error(EFBIG, "JSON text of ", text.size(), " bytes").hint("the limit is ", kMaxJsonSize);
  JsonText parsed{.bytes = {text.begin(), text.end()}, .nodes = {}};
  parsed.nodes.reserve(256);
  JsonParser parser(parsed.bytes, parsed.nodes);
  if (parser.parse()) return parsed;
  if (parser.too_deep()) return Error(0, "JSON nested deeper than ", kMaxJsonDepth, " levels");
  return Error(0, "not JSON: error at byte ", parser.offset());
}

std::size_t JsonText::offset_of(const JsonNode& node) const {
  const std::ptrdiff_t offset = node.text.data() - bytes.data();
  return static_cast<std::size_t>(offset) - (node.kind == JsonKind::kString ? 1 : 0);
}

std::size_t JsonText::offset_of_key(const JsonNode& node) const {
  if (node.key.data() == nullptr) return offset_of(node);
  return static_cast<std::size_t>(node.key.data() - bytes.data()) - 1;
}

JsonStop find_json_error(std::string_view text) {
  std::vector<char> bytes(text.begin(), text.end());
  std::vector<JsonNode> nodes;
  JsonParser parser(bytes, nodes);
  parser.parse();
  return {.offset = parser.offset(), .too_deep = parser.too_deep()};
}

}  // namespace jaula::spec
