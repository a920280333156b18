#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/job/outcome.hpp>

#include <exception>
#include <string>

namespace pgq::detail {

/// The text of what a handler threw.
inline std::string exception_text(const std::exception_ptr& thrown) noexcept {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) { return e.what(); } catch (...) {
        return "an exception that is no std::exception";
    }
}

/// A failed call with that text as its reason. The back-off says when the job runs again.
inline try_result failed_with(const std::exception_ptr& thrown) noexcept {
    return {.what = retry_after{{}, exception_text(thrown)}, .has_delay = false};
}

}  // namespace pgq::detail
