#pragma once

#include <pgq/detail/lifetimebound.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace pgq {

/// How long a job keeps its unique key. The values are stored.
enum class unique_scope : char {
    until_finished = 'f',  ///< until the job is done, discarded, cancelled, expired or held
    while_waiting = 'w',   ///< until the job starts
    period = 'p',          ///< for a fixed time, whatever happens to the job
};

/// What happens to a new job if another job has its unique key. The values are sent to the server.
enum class on_duplicate : char {
    skip = 's',  ///< the new job is not enqueued; the call returns the id of the other job
    fail = 'e',  ///< the call fails with errc::duplicate_key and enqueues nothing
    /// If the other job still waits, it gets the payload of the new one.
    /// If the other job runs, the new job is enqueued and gets the key.
    replace = 'r',
    debounce = 'd',  ///< as `replace`, and the other job also gets the new `run_at`
};

/// A key that at most one job of a queue and entrypoint has: `{.unique_key = "welcome:ada"}`. A key is a UTF-8 text
/// that is not empty and has at most `max_key_bytes` bytes (see job/key.hpp). This class is a view of it.
///
///     {.unique_key = pgq::unique{"report"}.during(1h).or_fail()}
///
/// If a transaction that has not ended holds the key, an enqueue waits for the end of that transaction. If it rolls
/// back, the key is free.
class unique {
public:
    constexpr unique() = default;
    constexpr unique(const char* key) noexcept : key_{key} {}
    constexpr unique(std::string_view key) noexcept : key_{key} {}
    template <class String>
        requires requires(const String& s) {
            { s.data() } -> std::same_as<const char*>;
        }
    constexpr unique(const String& key PGQ_LIFETIMEBOUND) noexcept : key_{key.data(), key.size()} {}
    template <class NoText>
        requires(std::is_arithmetic_v<NoText> || std::same_as<NoText, std::nullptr_t>)
    unique(NoText) {
        static_assert(std::is_void_v<NoText>,
                      "pgq: a unique key is not a text. Give it a std::string, or text in quotes.");
    }

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

/// Checks whether a unique key can be stored. Error: errc::invalid_text for a zero byte or invalid UTF-8.
inline result<void> check_unique(const unique& u) {
    if (detail::is_storable_text(u.key())) return {};
    return error_info{errc::invalid_text, "a unique key has a zero byte or invalid UTF-8",
                      "keys are text; use a digest of a binary value"};
}

}  // namespace pgq
