#include "runtime/spec/json_writer.h"

#include <algorithm>
#include <array>

#include "runtime/spec/characters.h"

namespace jaula::spec {
namespace {

constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (unsigned byte = 0x20; byte < 0x7F; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

void append_code_point(std::string& out, unsigned char value) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u00";
  out += {kDigits[value >> 4], kDigits[value & 15]};
}

void append_valid(std::string& out, std::string_view text) {
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\')
      out += {'\\', byte};
    else if (value < 0x20 || value == 0x7F)
      append_code_point(out, value);
    else
      out += byte;
  }
}

}  // namespace

void JsonWriter::quote(std::string& out, std::string_view bytes) {
  out += '"';
  const auto* plain_end = std::find_if_not(bytes.begin(), bytes.end(), [](char byte) {
    return kPlain[static_cast<unsigned char>(byte)];
  });
  const auto plain = static_cast<std::size_t>(plain_end - bytes.begin());
  out.append(bytes, 0, plain);
  bytes.remove_prefix(plain);
  while (!bytes.empty()) {
    const std::size_t valid = std::min(find_invalid_utf8(bytes), bytes.size());
    append_valid(out, bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) break;
    out += "\\u0000";
    append_code_point(out, static_cast<unsigned char>(bytes[0]));
    bytes.remove_prefix(1);
  }
  out += '"';
}

std::string& JsonWriter::separated() {
  if (text_.back() != '{' && text_.back() != '[') text_ += ',';
  return text_;
}

std::string& JsonWriter::begin(std::string_view key) {
  quote(separated(), key);
  return text_ += ':';
}

void JsonWriter::members(std::string_view key, const auto& pairs) {
  object(key, [&] {
    for (const auto& [name, value] : pairs) member(name, value);
  });
}

void JsonWriter::member(std::string_view key, const std::vector<Pair>& pairs) {
  members(key, pairs);
}

void JsonWriter::member(std::string_view key, const std::map<std::string, std::string>& pairs) {
  members(key, pairs);
}

void JsonWriter::member(std::string_view key, const std::vector<std::string>& values) {
  begin(key) += '[';
  for (const std::string& value : values) quote(separated(), value);
  text_ += ']';
}

void JsonWriter::member(std::string_view key, const std::vector<std::uint32_t>& values) {
  begin(key) += '[';
  for (const std::uint32_t value : values) separated() += std::to_string(value);
  text_ += ']';
}

}  // namespace jaula::spec
