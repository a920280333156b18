#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/executor/default_inner.hpp>
#include <pgq/executor/settings.hpp>
#include <pgq/time/static_duration.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <type_traits>

namespace pgq::executor {

/// The class behind the alias `retrying`.
template <backoff_policy Backoff, executor_policy Inner, int Tries, static_duration Budget>
class basic_retrying : public decorator<Inner> {
public:
    /// The defaults come from the template arguments.
    struct settings {
        int tries = Tries;
        duration budget = Budget.value();
        Backoff backoff{};
    };
    static constexpr int static_tries = Tries;
    static constexpr duration static_budget = Budget.value();

    basic_retrying() = default;
    explicit basic_retrying(settings s, const Inner& inner = Inner{}) : decorator<Inner>{inner}, settings_{s} {}
    explicit basic_retrying(const Inner& inner) : decorator<Inner>{inner} {}

    class attempt {
    public:
        explicit attempt(const basic_retrying& of) : of_{&of.settings_} {}

        void enter(const try_scope& inside) noexcept {
            if (calls_++ == 0) began_ = inside.began;
        }
        std::optional<duration> leave(const try_scope& outside, const try_result& r, steady_time now) noexcept {
            const auto pause = pause_after(outside, r, now);
            if (!pause) calls_ = 0;  // an outer `retrying` may start again
            return pause;
        }

    private:
        std::optional<duration> pause_after(const try_scope& outside, const try_result& r,
                                            steady_time now) const noexcept {
            if (!r.failed() || calls_ >= of_->tries || outside.stop.stop_requested()) return std::nullopt;
            duration pause = of_->backoff.delay(calls_);
            if (r.has_delay) pause = std::max(pause, r.what.delay());
            const duration left = std::min<duration>(of_->budget - (now - began_), outside.must_end_by - now);
            return pause < left ? std::optional{pause} : std::nullopt;
        }

        const settings* of_;
        int calls_ = 0;
        steady_time began_{};
    };

private:
    settings settings_{};
};

}  // namespace pgq::executor

namespace pgq::detail {

using wrong_argument_of_retrying = wrong_argument_of<is_backoff, is_executor, is_tries, is_budget>;

struct missing_backoff {};

template <class... Args>
struct retrying_of {
    using backoff = pick_t<is_backoff, void, Args...>;
    using wrong_argument = std::conditional_t<std::is_void_v<backoff>, missing_backoff,
                                              typename wrong_argument_of_retrying::template among<Args...>::type>;
    using type = invalid_decorator<wrong_argument>;
};
template <class... Args>
    requires(!std::is_void_v<pick_t<is_backoff, void, Args...>> &&
             std::is_void_v<typename wrong_argument_of_retrying::template among<Args...>::type>)
struct retrying_of<Args...> {
    using tries = pick_t<is_tries, executor::tries<3>, Args...>;
    using budget = pick_t<is_budget, executor::budget<std::chrono::seconds{10}>, Args...>;
    using type = executor::basic_retrying<pick_t<is_backoff, void, Args...>,
                                          pick_t<is_executor, executor::default_inner, Args...>, tries::value,
                                          static_duration{budget::value}>;
};

}  // namespace pgq::detail

namespace pgq::executor {

/// Calls a handler again in the same attempt if it fails by an exception or `retry_after`. The database does not record
/// these tries. The arguments may come in any order: `retrying<backoff::fixed>`, `retrying<backoff::exponential,
/// tries<5>, budget<30s>, timeout<2s>>`. The defaults are 3 tries, a budget of 10 s, and the executor of the queue.
///
/// Between two calls it waits for the time of the back-off, or for the time of `retry_after` if that is longer. The
/// wait of a function blocks its thread; the wait of a coroutine does not.
///
/// It gives up and the attempt fails if the next call could not start within the budget or before the end of an outer
/// `timeout`. It also gives up if the stop token fires or the worker is asked to stop. The failed attempt then counts,
/// and the job waits for its own back-off.
///
/// `context::try_number()` is the number of the call; `context::attempt()` does not change. An object can have other
/// settings than its type: `retrying<backoff::fixed, thread_pool>{{.tries = n, .backoff = {.every = 50ms}},
/// thread_pool{4}}`.
template <class... Policies>
using retrying = typename pgq::detail::retrying_of<Policies...>::type;

}  // namespace pgq::executor
