// Keys about the names of other hosts: what stands in /etc/resolv.conf and /etc/hosts.
#include <arpa/inet.h>

#include <algorithm>

#include "runtime/spec/service_keys.h"

namespace jaula::spec {
namespace {

constexpr std::size_t kLongestName = 255;

bool is_address(std::string_view text) {
  const std::string address(text);
  in6_addr ignored;
  return ::inet_pton(AF_INET, address.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), &ignored) == 1;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// What a line of the two files may hold as a name: resolvers take `_` too.
bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_option(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == ':';
         });
}

template <class IsGood>
void read_names(const Value& list, std::string_view what, IsGood&& is_good,
                std::vector<Sourced<std::string>>& names) {
  list.each_item_or_one(what, [&](const Value& value) {
    const auto text = value.text(what);
    if (!text) return;
    if (!is_good(*text)) return value.expected(what);
    names.push_back({*text, value.origin()});
  });
}

void read_dns(const Value& value, ServiceSpec& spec) {
  read_names(value, "the address of a name server, or a list of them", is_address, spec.dns);
}

void read_dns_search(const Value& value, ServiceSpec& spec) {
  const auto is_domain = [](std::string_view text) {
    return text == "." || is_host_name(text) ||
           (text.size() > 1 && text[0] == '_' && is_host_name(text.substr(1)));
  };
  read_names(value, "a domain, or a list of them", is_domain, spec.dns_search);
}

void read_dns_opt(const Value& value, ServiceSpec& spec) {
  read_names(value, "an option such as ndots:2, or a list of them", is_option, spec.dns_opt);
}

void add_host(const Value& value, std::string_view name, std::string_view address,
              ServiceSpec& spec) {
  constexpr std::string_view kWhat = "HOST:ADDRESS or HOST=ADDRESS";
  if (!is_host_name(name)) return value.fail("\"" + clipped(name) + "\" is not a host's name");
  if (address == "host-gateway")
    return value.not_supported("a jail has no gateway to the host yet; give an address");
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (!is_address(address)) return value.expected(kWhat);
  spec.extra_hosts.push_back({std::string(name), std::string(address), value.origin()});
}

void read_host(const Value& value, ServiceSpec& spec) {
  const auto text = value.text("HOST:ADDRESS or HOST=ADDRESS");
  if (!text) return;
  const std::size_t end = std::min(text->find_first_of("=:"), text->size());
  const std::string_view all(*text);
  add_host(value, all.substr(0, end), end < all.size() ? all.substr(end + 1) : "", spec);
}

void read_extra_hosts(const Value& hosts, ServiceSpec& spec) {
  if (!hosts.is(Node::Kind::kMapping))
    return hosts.each_item("a mapping or a list of HOST:ADDRESS",
                           [&](const Value& value) { read_host(value, spec); });
  for (const Entry& entry : hosts.node().entries)
    hosts.child(entry).each_item_or_one("an address, or a list of them", [&](const Value& value) {
      if (const auto address = value.text("an address")) add_host(value, entry.key, *address, spec);
    });
}

constexpr KeyRow kNameKeys[] = {
    {"dns", read_dns},
    {"dns_search", read_dns_search},
    {"dns_opt", read_dns_opt},
    {"extra_hosts", read_extra_hosts},
};

}  // namespace

std::span<const KeyRow> name_keys() { return kNameKeys; }

}  // namespace jaula::spec
