// Strings as YAML scalars: quoted where any reader could take them for something else. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jaula::spec {

std::string yaml_key(std::string_view text);
std::string yaml_value(std::string_view text);  // `$` doubled, as interpolation wants it

}  // namespace jaula::spec
