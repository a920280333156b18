#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/job/members.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace pgq {

/// A member of a job that only its handler may read: a password, a token, a card number.
///
/// A `T` converts to it implicitly. It does not convert back: `reveal()` shows in the code where the value is used. It
/// has no output operator. Only a serializer that encrypts can write it; with any other the queue does not compile. No
/// error message quotes it, not even an error that a codec reports while it reads the value.
///
/// What a handler logs or throws after `reveal()` is not protected, and the memory is not wiped.
template <class T>
class sensitive {
    static_assert(std::is_object_v<T> && !std::is_const_v<T>);

public:
    using value_type = T;

    sensitive() = default;
    template <class U = T>
        requires(!std::same_as<std::remove_cvref_t<U>, sensitive> && std::convertible_to<U&&, T>)
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): the constraint excludes this class itself
    sensitive(U&& value) : value_(std::forward<U>(value)) {}

    T& reveal() & noexcept { return value_; }
    const T& reveal() const& noexcept { return value_; }
    T&& reveal() && noexcept { return std::move(value_); }

    /// Does not take constant time: use it in tests and caches, not to check a password.
    friend bool operator==(const sensitive&, const sensitive&) = default;

private:
    T value_{};
};

namespace detail {

template <class T, class Seen = type_list<>>
struct has_sensitive;

template <class Ts, class Seen>
struct any_has_sensitive;
template <class... Ts, class Seen>
struct any_has_sensitive<type_list<Ts...>, Seen> : std::bool_constant<(has_sensitive<Ts, Seen>::value || ...)> {};

template <class Members>
struct types_of_members;
template <class... Ms>
struct types_of_members<type_list<Ms...>> {
    using type = type_list<typename Ms::type...>;
};

// The types that a type consists of, as far as they are known: its template arguments and its adapted members.
template <class T>
struct component_types {
    using type = type_list<>;
};
template <template <class...> class Template, class... Parts>
struct component_types<Template<Parts...>> {
    using type = type_list<Parts...>;
};
template <class T, std::size_t N>
struct component_types<std::array<T, N>> {
    using type = type_list<T>;
};
template <class T>
    requires adapted<T>
struct component_types<T> : types_of_members<members_of<T>> {
};
template <template <class...> class Template, class... Parts>
    requires adapted<Template<Parts...>>
struct component_types<Template<Parts...>> : types_of_members<members_of<Template<Parts...>>> {
};

template <class T>
concept declares_sensitive = requires {
    requires T::is_sensitive;
};

template <class T, class Seen>
consteval bool find_sensitive() {
    if constexpr (contains_v<T, Seen>) return false;
    else if constexpr (declares_sensitive<T>) return true;
    else return any_has_sensitive<typename component_types<T>::type, typename concat<Seen, type_list<T>>::type>::value;
}

template <class T, class Seen>
struct has_sensitive : std::bool_constant<find_sensitive<std::remove_cvref_t<T>, Seen>()> {};
template <class T, class Seen>
struct has_sensitive<sensitive<T>, Seen> : std::true_type {};

}  // namespace detail

/// Whether `T` has a `sensitive` member at any depth: in adapted structs and in template arguments (`std::optional`,
/// `std::vector`, ...). A type that hides one elsewhere declares `static constexpr bool is_sensitive = true`.
template <class T>
inline constexpr bool holds_sensitive = detail::has_sensitive<T>::value;

}  // namespace pgq
