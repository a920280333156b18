#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::web {

enum class method : std::uint8_t { get, head, post, other };

/// The parts of a request that the checks and the routes look at. A header that is missing is empty.
struct request {
    method verb = method::get;
    std::string target{};  ///< as the client wrote it: "/api/jobs?q=state:held"
    std::string host{};
    std::string origin{};
    std::string fetch_site{};
    std::string authorization{};
    std::string content_type{};
    std::string if_none_match{};
    std::string body{};
    std::string peer{};  ///< the address of the client
};

using header_line = std::pair<std::string_view, std::string>;

struct response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body{};
    std::vector<header_line> headers{};
};

/// {"error": {"message": ..., "hint": ...}}
response error_response(unsigned status, std::string_view message, std::string_view hint = {});

using query_parameter = std::pair<std::string, std::string>;

/// A path as it was written, and the parameters behind it, decoded.
struct request_target {
    std::string path{};
    std::vector<query_parameter> query{};

    /// The first value of the parameter; empty if there is none.
    std::string_view get(std::string_view name) const noexcept;
};

/// Nothing if it does not begin with a slash, or if a parameter is not UTF-8 text in percent encoding.
std::optional<request_target> parse_target(std::string_view target);

}  // namespace pgq::web
