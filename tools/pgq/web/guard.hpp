#pragma once

#include "credentials.hpp"
#include "request.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::web {

/// Which requests are taken.
struct site_rules {
    std::vector<std::string> hosts{};  ///< names that the header Host may have, without the port
    bool any_address = false;          ///< Host may also be any address: nobody can point a name at the server with it
    credentials users{};
};

/// Whether the address is one of this machine only.
bool is_loopback(std::string_view address) noexcept;

/// The name in "name:port" or "[::1]:port", in lower case. Empty if it has another form.
std::string host_name(std::string_view host);

/// The answer to a request that is not taken: another Host (DNS rebinding), no credentials, a POST of another site or
/// with another type than JSON. Nothing if it is fine.
std::optional<response> refuse(const request& r, const site_rules& rules);

}  // namespace pgq::web
