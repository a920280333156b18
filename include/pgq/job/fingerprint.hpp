#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace pgq {
namespace detail {

/// The FNV-1a hash of a type's description, 64 bits.
struct shape_hash {
    std::uint64_t value = 14695981039346656037u;

    constexpr void put(std::string_view text) noexcept {
        for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211u;
    }
    constexpr void put(std::int64_t number) noexcept {
        for (int shift = 0; shift < 64; shift += 8)
            value = (value ^ ((static_cast<std::uint64_t>(number) >> shift) & 255u)) * 1099511628211u;
    }
};

template <class T, class Above>
consteval void put_shape(shape_hash& hash);

template <class Above, class... Ts>
consteval void put_shapes(shape_hash& hash, std::string_view kind) {
    hash.put(kind);
    (put_shape<Ts, Above>(hash), ...);
    hash.put(")");
}

template <class Job, class Above, class... Members>
consteval void put_members(shape_hash& hash, type_list<Members...>) {
    hash.put("{");
    ((hash.put(Members::name), hash.put(":"), put_shape<typename Members::type, Above>(hash)), ...);
    hash.put("}");
}

template <class T>
struct shape_of {  // a type of unknown structure
    template <class Above>
    static consteval void put(shape_hash& hash) {
        hash.put("?");
    }
};
template <class T>
struct shape_of<sensitive<T>> {
    template <class Above>
    static consteval void put(shape_hash& hash) {
        put_shape<T, Above>(hash);
    }
};
template <class T>
struct shape_of<std::optional<T>> {
    template <class Above>
    static consteval void put(shape_hash& hash) {
        put_shapes<Above, T>(hash, "optional(");
    }
};
template <class... Ts>
struct shape_of<std::variant<Ts...>> {
    template <class Above>
    static consteval void put(shape_hash& hash) {
        put_shapes<Above, Ts...>(hash, "variant(");
    }
};
template <class A, class B>
struct shape_of<std::pair<A, B>> {
    template <class Above>
    static consteval void put(shape_hash& hash) {
        put_shapes<Above, A, B>(hash, "pair(");
    }
};
template <class T, std::size_t N>
struct shape_of<std::array<T, N>> {
    template <class Above>
    static consteval void put(shape_hash& hash) {
        hash.put(static_cast<std::int64_t>(N));
        put_shapes<Above, T>(hash, "array(");
    }
};
template <class Rep, class Period>
struct shape_of<std::chrono::duration<Rep, Period>> {
    template <class Above>
    static consteval void put(shape_hash& hash) {
        hash.put("duration");
        hash.put(std::int64_t{Period::num});
        hash.put(std::int64_t{Period::den});
    }
};
template <class Clock, class Duration>
struct shape_of<std::chrono::time_point<Clock, Duration>> {
    template <class Above>
    static consteval void put(shape_hash& hash) {
        put_shapes<Above, Duration>(hash, "time(");
    }
};

// A type that contains itself is described by the number of levels between the two, not by its name.
template <class T, class Above>
consteval void put_shape(shape_hash& hash) {
    if constexpr (contains_v<T, Above>) {
        hash.put("above");
        hash.put(static_cast<std::int64_t>(Above::size - index_of<T>(Above{})));
    } else if constexpr (std::is_same_v<T, bool>) hash.put("bool");
    else if constexpr (std::is_enum_v<T>) {
        hash.put("enum");
        put_shape<std::underlying_type_t<T>, Above>(hash);
    } else if constexpr (std::is_arithmetic_v<T>) {
        hash.put(std::is_floating_point_v<T> ? "float" : std::is_signed_v<T> ? "int" : "unsigned");
        hash.put(static_cast<std::int64_t>(sizeof(T)));
    } else if constexpr (std::convertible_to<const T&, std::string_view>) hash.put("text");
    else if constexpr (adapted<T>) put_members<T, typename concat<Above, type_list<T>>::type>(hash, members_of<T>{});
    else if constexpr (std::ranges::range<T> && requires { typename T::mapped_type; }) {
        put_shapes<Above, typename T::key_type, typename T::mapped_type>(hash, "map(");
    } else if constexpr (std::ranges::range<T> && !requires { std::tuple_size<T>::value; }) {
        put_shapes<Above, std::ranges::range_value_t<T>>(hash, "list(");
    } else shape_of<T>::template put<Above>(hash);
}

template <class Job>
consteval std::array<char, 16> fingerprint_text() {
    shape_hash hash;
    put_shape<Job, type_list<>>(hash);
    std::array<char, 16> text{};
    for (std::size_t i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[(hash.value >> (60 - 4 * i)) & 15u];
    return text;
}

template <class Job>
inline constexpr std::array<char, 16> fingerprint_storage = fingerprint_text<Job>();

}  // namespace detail

/// Sixteen hexadecimal digits that identify the shape of a payload: the names, types and order of its members, and of
/// their members. A type that only a `codec` can write counts as one fixed shape, whatever the codec writes.
template <adapted Job>
inline constexpr std::string_view fingerprint_of{detail::fingerprint_storage<Job>.data(),
                                                 detail::fingerprint_storage<Job>.size()};

/// A job type that declares the version of its payload: `static constexpr std::string_view version = "3"`.
template <class Job>
concept has_version = requires {
    { Job::version } -> std::convertible_to<std::string_view>;
};

/// The version of a payload: the one that the type declares, or else its fingerprint. Empty for a type without both.
template <class Job>
consteval std::string_view version_of() {
    if constexpr (has_version<Job>) return Job::version;
    else if constexpr (adapted<Job>) return fingerprint_of<Job>;
    else return {};
}

}  // namespace pgq
