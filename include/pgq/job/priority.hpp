#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <cstdint>
#include <type_traits>

namespace pgq {

/// The priority of a job, from -32768 to 32767; a higher one runs first. Any integer or unscoped enumerator converts to
/// it. An enqueue with a number out of range fails with errc::invalid_option.
class job_priority {
public:
    constexpr job_priority() = default;
    template <class Number>
        requires(std::is_arithmetic_v<Number> || (std::is_enum_v<Number> && std::is_convertible_v<Number, int>))
    constexpr job_priority(Number number) noexcept : set_{true} {
        static_assert(!std::is_floating_point_v<Number>, "pgq: a priority is not an integer. Give it a whole number.");
        if constexpr (std::is_unsigned_v<Number>) {
            fits_ = static_cast<unsigned long long>(number) <= INT16_MAX;
        } else {
            const auto wide = static_cast<long long>(number);
            fits_ = wide >= INT16_MIN && wide <= INT16_MAX;
        }
        if (fits_) value_ = static_cast<std::int16_t>(number);
    }

    constexpr operator std::int16_t() const noexcept { return value_; }
    /// False without a number: then it is the priority of the job type, 0 by default.
    constexpr bool is_set() const noexcept { return set_; }
    /// False if it was made of a number out of range.
    constexpr bool is_in_range() const noexcept { return fits_; }

private:
    std::int16_t value_ = 0;
    bool fits_ = true;
    bool set_ = false;
};

}  // namespace pgq
