#pragma once

#include <pgq/error/result.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace pgq::detail {

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

/// A result stays one, anything else becomes one.
template <class T>
using as_result = std::conditional_t<is_result<T>, T, result<T>>;

/// Calls `f()`, then `commit()`, or `roll_back()` if `f` returned an error or threw. An error of `commit` is the
/// answer.
template <class F, class Commit, class Rollback>
auto all_or_nothing(F f, Commit commit, Rollback roll_back) -> as_result<std::invoke_result_t<F&>> {
    using returned = std::invoke_result_t<F&>;
    std::optional<as_result<returned>> answer;
    try {
        if constexpr (std::is_void_v<returned>) f(), answer.emplace();
        else answer.emplace(f());
    } catch (...) {
        (void)roll_back();
        throw;
    }
    if (!*answer) {
        if (result<void> done = roll_back(); !done) return std::move(done.error());
    } else if (result<void> done = commit(); !done) return std::move(done.error());
    return std::move(*answer);
}

}  // namespace pgq::detail
