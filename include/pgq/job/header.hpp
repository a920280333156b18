#pragma once

#include <pgq/detail/lifetimebound.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <ranges>
#include <span>
#include <string>
#include <string_view>

namespace pgq {

/// One header of a job: a name and a value, both UTF-8 without zero bytes. The headers of a job have different names
/// and no order. The job keeps them through all attempts.
struct header {
    std::string_view name{};
    std::string_view value{};

    friend constexpr bool operator==(const header&, const header&) = default;
};

/// Headers in an option: `{.headers = {{"tenant", "acme"}}}`, or any contiguous range of them. It is a view: what it
/// was made of must live until the call returns. A list in braces does, if it is written in the call itself.
class header_list : public std::span<const header> {
    using view = std::span<const header>;

public:
    constexpr header_list() noexcept = default;
    constexpr header_list(view all) noexcept : view{all} {}
    constexpr header_list(std::initializer_list<header> all PGQ_LIFETIMEBOUND) noexcept
        : view{std::ranges::data(all), all.size()} {}
    constexpr header_list(const header* first, std::size_t count) noexcept : view{first, count} {}
    template <std::ranges::contiguous_range Range>
        requires(std::same_as<std::ranges::range_value_t<Range>, header> && !std::derived_from<Range, view>)
    constexpr header_list(const Range& all PGQ_LIFETIMEBOUND) noexcept
        : view{std::ranges::data(all), std::ranges::size(all)} {}
};

/// Checks whether headers can be stored. Errors: errc::invalid_text for a zero byte or invalid UTF-8;
/// errc::invalid_option for two headers with one name.
inline result<void> check_headers(std::span<const header> headers) {
    for (std::size_t i = 0; i < headers.size(); ++i) {
        if (!detail::is_storable_text(headers[i].name) || !detail::is_storable_text(headers[i].value))
            return error_info{errc::invalid_text, "a header has a zero byte or invalid UTF-8",
                              "headers are text; encode binary values"};
        for (std::size_t k = 0; k < i; ++k)
            if (headers[k].name == headers[i].name)
                return error_info{errc::invalid_option,
                                  "two headers have the name \"" + std::string{headers[i].name} + "\"",
                                  "give each header of a job a different name"};
    }
    return {};
}

}  // namespace pgq
