#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/fwd.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/json/value.hpp>
#include <pgq/serializer/json/writer.hpp>

#include <concepts>
#include <type_traits>

namespace pgq::serializer {

template <class T>
concept has_codec = requires(const T& value, T& out, json_writer& writer, json_value in) {
    { codec<T>::write(value, writer) } -> std::same_as<void>;
    { codec<T>::read(in, out) } -> std::same_as<bool>;
};

namespace detail {

using pgq::detail::contains_v;
using pgq::detail::type_list;

template <class T, class Seen = type_list<>>
struct encodable;

template <class Parts, class Seen>
struct all_encodable;
template <class... Parts, class Seen>
struct all_encodable<type_list<Parts...>, Seen> : std::bool_constant<(encodable<Parts, Seen>::value && ...)> {};

template <class T>
struct parts_of {
    using type = type_list<>;
};
template <class T>
    requires requires { typename codec<T>::parts; }
struct parts_of<T> {
    using type = typename codec<T>::parts;
};

template <class T>
consteval bool stands_alone() {
    if constexpr (!std::is_object_v<T> || std::is_const_v<T> || std::is_volatile_v<T> || std::is_array_v<T>)
        return false;
    else return std::default_initializable<T> && std::movable<T> && has_codec<T>;
}

template <class T, class Seen>
consteval bool is_encodable() {
    // A type that contains itself (a tree) is encodable if its other parts are.
    if constexpr (contains_v<T, Seen>) return true;
    else if constexpr (!stands_alone<T>()) return false;
    else
        return all_encodable<typename parts_of<T>::type, typename pgq::detail::concat<Seen, type_list<T>>::type>::value;
}

template <class T, class Seen>
struct encodable : std::bool_constant<is_encodable<T, Seen>()> {};

}  // namespace detail

/// A type that can be written and read, including all its parts.
template <class T>
concept can_encode = detail::encodable<T>::value;

/// Writes a value with its codec. For codecs that are built from other codecs.
template <class T>
void encode(const T& value, json_writer& out) {
    if constexpr (pgq::detail::declares_sensitive<T>)
        if (out.masks()) return out.string(secret_mask);
    codec<T>::write(value, out);
}

/// Reads a value with its codec. Returns false if that failed.
template <class T>
bool decode(json_value in, T& out) {
    return codec<T>::read(in, out);
}

/// The same for element number `index` of an array. If it fails, the error names the element.
template <class T>
bool encode_element(const T& value, std::size_t index, json_writer& out) {
    encode(value, out);
    return out.wrote_element(index);
}
template <class T>
bool decode_element(json_value in, std::size_t index, T& out) {
    return decode(in, out) || in.failed_in_element(index);
}

}  // namespace pgq::serializer
