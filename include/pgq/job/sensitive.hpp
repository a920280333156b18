#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/job/members.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace pgq {

/// A member of a job that nobody but its handler may see: a password, a token, a card number.
///
/// It is made of a `T` like a `T`, but does not turn into one by itself: `reveal()` says in the code where the value is used.
/// It has no output operator. Only a serializer that encrypts writes it, any other is refused when the queue is put
/// together; and no error text of ours quotes it, nor one that a codec gave while reading it. What a handler logs or throws
/// after `reveal()` is its own affair, and the memory is not wiped.
template <class T>
class sensitive {
    static_assert(std::is_object_v<T> && !std::is_const_v<T>);

public:
    using value_type = T;

    sensitive() = default;
    template <class U = T>
        requires(!std::same_as<std::remove_cvref_t<U>, sensitive> && std::convertible_to<U&&, T>)
    sensitive(U&& value) : value_(std::forward<U>(value)) {}

    T& reveal() & noexcept { return value_; }
    const T& reveal() const& noexcept { return value_; }
    T&& reveal() && noexcept { return std::move(value_); }

    /// Not in constant time: for tests and caches, not for checking a password.
    friend bool operator==(const sensitive&, const sensitive&) = default;

private:
    T value_{};
};

namespace detail {

template <class T, class Seen = type_list<>>
struct has_secret;

template <class Ts, class Seen>
struct any_has_secret;
template <class... Ts, class Seen>
struct any_has_secret<type_list<Ts...>, Seen> : std::bool_constant<(has_secret<Ts, Seen>::value || ...)> {};

template <class Members>
struct types_of_members;
template <class... Ms>
struct types_of_members<type_list<Ms...>> {
    using type = type_list<typename Ms::type...>;
};

// What a type is made of, as far as it can be seen from outside: the arguments of a template, adapted members.
template <class T>
struct made_of {
    using type = type_list<>;
};
template <template <class...> class Template, class... Parts>
struct made_of<Template<Parts...>> {
    using type = type_list<Parts...>;
};
template <class T, std::size_t N>
struct made_of<std::array<T, N>> {
    using type = type_list<T>;
};
template <class T>
    requires adapted<T>
struct made_of<T> : types_of_members<members_of<T>> {
};
template <template <class...> class Template, class... Parts>
    requires adapted<Template<Parts...>>
struct made_of<Template<Parts...>> : types_of_members<members_of<Template<Parts...>>> {
};

template <class T>
concept says_it_is_sensitive = requires {
    requires T::is_sensitive;
};

template <class T, class Seen>
consteval bool find_secret() {
    if constexpr (contains_v<T, Seen>) return false;
    else if constexpr (says_it_is_sensitive<T>) return true;
    else return any_has_secret<typename made_of<T>::type, typename concat<Seen, type_list<T>>::type>::value;
}

template <class T, class Seen>
struct has_secret : std::bool_constant<find_secret<std::remove_cvref_t<T>, Seen>()> {};
template <class T, class Seen>
struct has_secret<sensitive<T>, Seen> : std::true_type {};

}  // namespace detail

/// Whether there is a `sensitive` member in `T`, at any depth: in adapted structs, and in what stands between the brackets
/// of a template (`std::optional`, `std::vector`, ...). A type that hides one elsewhere says
/// `static constexpr bool is_sensitive = true`.
template <class T>
inline constexpr bool holds_sensitive = detail::has_secret<T>::value;

}  // namespace pgq
