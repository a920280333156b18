#pragma once

#include <pgq/detail/lifetimebound.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace pgq {

/// The name of one enqueue call, so that the call may be repeated: `{.request_id = "order-4711"}`. The database
/// remembers it for a day, see `request_retention`. A second call of the same queue with that name enqueues nothing and
/// returns the answer of the first one. A request id is a UTF-8 text of any length that is not empty. This class is a
/// view of it.
class request_id {
public:
    constexpr request_id() = default;
    constexpr request_id(const char* text) noexcept : text_{text} {}
    constexpr request_id(std::string_view text) noexcept : text_{text} {}
    template <class String>
        requires requires(const String& s) {
            { s.data() } -> std::same_as<const char*>;
        }
    constexpr request_id(const String& text PGQ_LIFETIMEBOUND) noexcept : text_{text.data(), text.size()} {}
    template <class NoText>
        requires(std::is_arithmetic_v<NoText> || std::same_as<NoText, std::nullptr_t>)
    request_id(NoText) {
        static_assert(std::is_void_v<NoText>,
                      "pgq: a request id is not a text. Give it a std::string, or text in quotes.");
    }

    constexpr bool is_set() const noexcept { return !text_.empty(); }
    constexpr std::string_view text() const noexcept { return text_; }
    friend constexpr bool operator==(const request_id&, const request_id&) = default;

private:
    std::string_view text_{};
};

/// How long the database remembers a request id. The same number is in sql/0003_tracked.sql.
inline constexpr std::chrono::hours request_retention{24};

namespace detail {

/// Checks the request ids in the options of one call: they are one and the same text. A request without an id is fine.
template <class Options>
result<request_id> request_id_of(const Options& all) {
    request_id found;
    for (const auto& o : all) {
        if (!o.request_id.is_set() || o.request_id == found) continue;
        if (found.is_set())
            return error_info{errc::invalid_option, "the jobs of one call have different request ids",
                              "a request id names the whole call: give all of its jobs the same one"};
        found = o.request_id;
    }
    if (is_storable_text(found.text())) return found;
    return error_info{errc::invalid_text, "a request id has a zero byte or invalid UTF-8",
                      "request ids are text; use a digest of a binary value"};
}

inline error_info request_id_in_transaction() {
    return {errc::invalid_option, "an enqueue in a transaction has a request_id, but needs none",
            "leave it out: the jobs exist if, and only if, the transaction has committed"};
}
inline error_info other_request(std::size_t jobs, std::size_t before) {
    return {errc::invalid_option,
            "the request id was used by a call with " + std::to_string(before) + " jobs; this one has " +
                std::to_string(jobs),
            "give each call an id of its own, and repeat a call with the same jobs"};
}

}  // namespace detail

}  // namespace pgq
