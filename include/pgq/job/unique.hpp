#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <string_view>

namespace pgq {

/// How long a unique key is taken. The values are stored.
enum class unique_scope : char {
    until_finished = 'f',  ///< until the job is done, discarded, cancelled, expired or held
    while_waiting = 'w',   ///< until it begins
    period = 'p',          ///< for a time, whatever becomes of the job
};

/// What happens to a job whose unique key is taken by another. The values are sent.
enum class on_duplicate : char {
    skip = 's',  ///< it is not enqueued: the other is the answer
    fail = 'e',  ///< errc::duplicate_key, and nothing of the call is enqueued
    replace =
        'r',  ///< the other gets its payload, if it still waits; if it runs, this one is enqueued and has the key from now on
    debounce = 'd',  ///< as `replace`, and the other gets its `run_at` too
};

/// At most one job with this key, in a queue and entrypoint: `{.unique_key = "welcome:ada"}`. A key is any UTF-8 text but the empty one; it
/// is a view.
///
///     {.unique_key = pgq::unique{"report"}.during(1h).or_fail()}
///
/// A key that somebody has taken in a transaction which has not ended is waited for: rolled back, it is free.
class unique {
public:
    constexpr unique() = default;
    constexpr unique(const char* key) noexcept : key_{key} {}
    constexpr unique(std::string_view key) noexcept : key_{key} {}
    template <class String>
        requires requires(const String& s) {
            { s.data() } -> std::same_as<const char*>;
        }
    constexpr unique(const String& key) noexcept : key_{key.data(), key.size()} {}

    [[nodiscard]] constexpr unique while_waiting() const noexcept { return with(unique_scope::while_waiting, {}); }
    [[nodiscard]] constexpr unique during(duration period) const noexcept { return with(unique_scope::period, period); }
    [[nodiscard]] constexpr unique or_fail() const noexcept { return with(on_duplicate::fail); }
    [[nodiscard]] constexpr unique or_replace() const noexcept { return with(on_duplicate::replace); }
    [[nodiscard]] constexpr unique or_debounce() const noexcept { return with(on_duplicate::debounce); }

    /// The same rule for another key.
    [[nodiscard]] constexpr unique with_key(std::string_view key) const noexcept {
        unique u = *this;
        u.key_ = key;
        return u;
    }

    constexpr bool is_set() const noexcept { return !key_.empty(); }
    constexpr std::string_view key() const noexcept { return key_; }
    constexpr unique_scope scope() const noexcept { return scope_; }
    constexpr duration period() const noexcept { return period_; }
    constexpr on_duplicate then() const noexcept { return then_; }

private:
    constexpr unique with(unique_scope s, duration period) const noexcept {
        unique u = *this;
        u.scope_ = s, u.period_ = period;
        return u;
    }
    constexpr unique with(on_duplicate d) const noexcept {
        unique u = *this;
        u.then_ = d;
        return u;
    }

    std::string_view key_{};
    duration period_{};
    unique_scope scope_ = unique_scope::until_finished;
    on_duplicate then_ = on_duplicate::skip;
};

/// What keeps a unique key from being stored.
inline result<void> check_unique(const unique& u) {
    if (detail::is_storable_text(u.key())) return {};
    return error_info{errc::invalid_text, "a unique key holds a zero byte or bytes that are not UTF-8",
                      "keys are text; go by a digest of binary values"};
}

}  // namespace pgq
