#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pgq {

/// One header of a job: a name and a text, both UTF-8 without zero bytes. A job's headers have different names and no order; they
/// travel with it through all attempts.
struct header {
    std::string_view name{};
    std::string_view value{};

    friend constexpr bool operator==(const header&, const header&) = default;
};

/// What keeps headers from being stored.
inline result<void> check_headers(std::span<const header> headers) {
    for (std::size_t i = 0; i < headers.size(); ++i) {
        if (!detail::is_storable_text(headers[i].name) || !detail::is_storable_text(headers[i].value))
            return error_info{errc::invalid_text, "a header holds a zero byte or bytes that are not UTF-8",
                              "headers are text; encode binary values"};
        for (std::size_t k = 0; k < i; ++k)
            if (headers[k].name == headers[i].name)
                return error_info{errc::invalid_option,
                                  "two headers have the name \"" + std::string{headers[i].name} + "\"",
                                  "give each header of a job a name of its own"};
    }
    return {};
}

}  // namespace pgq
