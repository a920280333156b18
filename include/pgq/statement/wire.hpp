#pragma once

#include <pgq/time/clock.hpp>

#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// PostgreSQL's binary format: big-endian numbers, length-prefixed array elements.
namespace pgq::statement::wire {

using oid = std::uint32_t;

inline constexpr oid char_oid = 18, int8_oid = 20, int2_oid = 21, int4_oid = 23, text_oid = 25, tid_oid = 27,
                     bytea_oid = 17, float8_oid = 701, bool_oid = 16;
inline constexpr oid char_array = 1002, int2_array = 1005, int4_array = 1007, text_array = 1009, tid_array = 1010,
                     bytea_array = 1001, int8_array = 1016, bool_array = 1000;

template <std::integral T>
constexpr T swapped(T value) noexcept {
    if constexpr (sizeof(T) == 1 || std::endian::native == std::endian::big) {
        return value;
    } else if constexpr (sizeof(T) == 2) {
        return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
    } else if constexpr (sizeof(T) == 4) {
        return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
    } else {
        return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
    }
}

template <std::integral T>
void append(std::string& out, T value) {
    value = swapped(value);
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    out.append(raw, sizeof value);
}

template <std::integral T>
T load(const char* at) noexcept {
    T value;
    std::memcpy(&value, at, sizeof value);
    return swapped(value);
}

/// A tid as `lease_ref::place` keeps it: block << 16 | offset.
inline void append_tid(std::string& out, std::uint64_t place) {
    append(out, static_cast<std::uint32_t>(place >> 16));
    append(out, static_cast<std::uint16_t>(place & 0xffff));
}
inline std::uint64_t load_tid(const char* at) noexcept {
    return std::uint64_t{load<std::uint32_t>(at)} << 16 | load<std::uint16_t>(at + 4);
}

/// A timestamptz: microseconds since 2000-01-01.
inline time_point time_of(std::int64_t value) noexcept {
    constexpr auto epoch = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}.time_since_epoch();
    return time_point{epoch + std::chrono::microseconds{value}};
}

/// Walks the elements of a one- or two-dimensional array. `ok()` is false after malformed bytes.
class array_reader {
public:
    explicit array_reader(std::string_view field) noexcept : rest_{field} {
        if (!start(field)) fail();
    }

    std::size_t size() const noexcept { return size_; }
    bool ok() const noexcept { return ok_; }
    oid element_type() const noexcept { return element_; }

    /// The next element's bytes; empty for NULL. `was_null()` distinguishes NULL from an empty element.
    std::string_view next() noexcept {
        null_ = false;
        if (rest_.size() < 4) return fail(), std::string_view{};
        const auto length = load<std::int32_t>(rest_.data());
        rest_.remove_prefix(4);
        if (length < 0) return null_ = true, std::string_view{};
        if (rest_.size() < static_cast<std::size_t>(length)) return fail(), std::string_view{};
        const auto element = rest_.substr(0, static_cast<std::size_t>(length));
        rest_.remove_prefix(element.size());
        return element;
    }
    template <std::integral T>
    T next_number() noexcept {
        constexpr std::size_t whole = 4 + sizeof(T);
        if (rest_.size() < whole || load<std::int32_t>(rest_.data()) != std::int32_t{sizeof(T)}) return no_number<T>();
        const T value = load<T>(rest_.data() + 4);
        rest_.remove_prefix(whole);
        null_ = false;
        return value;
    }
    bool was_null() const noexcept { return null_; }

private:
    bool start(std::string_view field) noexcept {
        if (field.size() < 12) return false;
        const auto dimensions = load<std::int32_t>(field.data());
        element_ = load<oid>(field.data() + 8);
        rest_.remove_prefix(12);
        if (dimensions < 0 || dimensions > 6 || rest_.size() < static_cast<std::size_t>(dimensions) * 8) return false;
        std::size_t count = dimensions == 0 ? 0 : 1;
        for (std::int32_t d = 0; d < dimensions; ++d) {
            const auto length = load<std::int32_t>(rest_.data());
            rest_.remove_prefix(8);
            if (length < 0) return false;
            count *= static_cast<std::size_t>(length);
            if (count > field.size() / 4) return false;  // in each step, because the product could overflow
        }
        if (count > rest_.size() / 4) return false;
        size_ = count;
        return true;
    }
    // NULL, or an element of another size. Apart, so that compilers put the rest into loops over numbers.
    template <class T>
    T no_number() noexcept {
        return (void)next(), fail(), T{};
    }
    void fail() noexcept {
        ok_ = false;
        size_ = 0;
        rest_ = {};
    }

    std::string_view rest_;
    std::size_t size_ = 0;
    oid element_ = 0;
    bool ok_ = true;
    bool null_ = false;
};

}  // namespace pgq::statement::wire
