#pragma once

#include <pgq/diagnostic/running.hpp>
#include <pgq/error/condition.hpp>
#include <pgq/error/result.hpp>

#include <concepts>
#include <utility>

namespace pgq {

/// How pgq::run ended. It converts to the exit code of the program: `int main() { ... return pgq::run(worker); }`.
class [[nodiscard]] run_result {
public:
    static constexpr int stopped = 0;         ///< it was asked to stop, or nothing was left to do
    static constexpr int failed = 1;          ///< something failed for good
    static constexpr int misconfigured = 78;  ///< a person must correct the setup; EX_CONFIG of sysexits.h
    /// A second signal `n` ends the process with this code and `n` added.
    static constexpr int ended_by_signal = 128;

    explicit run_result(result<void> how) noexcept : how_{std::move(how)} {}

    /// The error of what failed for good.
    const result<void>& how() const noexcept { return how_; }
    /// Throws pgq::failure if something failed for good.
    void value() const { result<void>{how_}.value(); }
    int exit_code() const noexcept {
        if (how_) return stopped;
        return how_.error() == condition::configuration ? misconfigured : failed;
    }
    operator int() const noexcept { return exit_code(); }
    /// Does not compile: success is 0 for main, and would be false for `if`.
    template <class Bool>
        requires std::same_as<Bool, bool>
    explicit operator Bool() const {
        static_assert(sizeof(diagnostic::run_result_is_no_condition<Bool>) != 0);
        return false;
    }

private:
    result<void> how_;
};

}  // namespace pgq
