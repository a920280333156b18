#pragma once

#include <pgq/serializer/json/codec.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

namespace pgq {

template <>
struct codec<std::monostate> {
    static void write(std::monostate, serializer::json_writer& out) { out.null(); }
    static bool read(serializer::json_value in, std::monostate&) { return in.is_null() || in.expected("null"); }
};

namespace serializer::detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace serializer::detail

/// An empty optional is null. A type that can itself be null cannot be optional, because the two nulls would be the
/// same.
template <class T>
    requires(!serializer::detail::is_optional<T> && !std::same_as<T, std::monostate>)
struct codec<std::optional<T>> {
    using parts = detail::type_list<T>;

    static void write(const std::optional<T>& value, serializer::json_writer& out) {
        if (value) serializer::encode(*value, out);
        else out.null();
    }
    static bool read(serializer::json_value in, std::optional<T>& out) {
        out.reset();
        return in.is_null() || serializer::decode(in, out.emplace());
    }
};

namespace serializer::detail {

/// An array with one element for each element of the tuple.
template <class Tuple, class... Ts>
struct tuple_codec {
    using parts = type_list<Ts...>;

    static void write(const Tuple& value, json_writer& out) {
        if (!out.begin_array()) return;
        std::size_t i = 0;
        const auto each = [&](const auto&... element) { return (encode_element(element, i++, out) && ...); };
        if (std::apply(each, value)) out.end_array();
    }
    static bool read(json_value in, Tuple& out) {
        if (!in.is_array()) return in.expected("an array");
        if (in.size() != sizeof...(Ts)) return in.fail("expected " + std::to_string(sizeof...(Ts)) + " elements");
        std::size_t i = 0;
        auto at = in.elements().begin();
        const auto next = [&](auto& element) {
            if (!decode_element(*at, i++, element)) return false;
            ++at;
            return true;
        };
        return std::apply([&](auto&... element) { return (next(element) && ...); }, out);
    }
};

}  // namespace serializer::detail

template <class A, class B>
struct codec<std::pair<A, B>> : serializer::detail::tuple_codec<std::pair<A, B>, A, B> {};
template <class... Ts>
struct codec<std::tuple<Ts...>> : serializer::detail::tuple_codec<std::tuple<Ts...>, Ts...> {};

/// Written as `[index, value]`. The order of the alternatives is part of the format: add new ones at the end.
template <class... Ts>
struct codec<std::variant<Ts...>> {
    using parts = detail::type_list<Ts...>;
    using variant = std::variant<Ts...>;

    static void write(const variant& value, serializer::json_writer& out) {
        if (value.valueless_by_exception()) return out.fail("a variant without a value");
        if (!out.begin_array()) return;
        out.integer(value.index());
        std::visit([&](const auto& alternative) { serializer::encode(alternative, out); }, value);
        if (out.wrote_element(1)) out.end_array();
    }
    static bool read(serializer::json_value in, variant& out) {
        if (!in.is_array()) return in.expected("an array");
        if (in.size() != 2) return in.fail("expected 2 elements");
        auto at = in.elements().begin();
        std::size_t index = 0;
        if (!serializer::decode_element(*at, 0, index)) return false;
        return read_alternative(*++at, index, out, std::index_sequence_for<Ts...>{});
    }

private:
    template <std::size_t... Is>
    static bool read_alternative(serializer::json_value in, std::size_t index, variant& out,
                                 std::index_sequence<Is...>) {
        bool ok = false;
        const bool known =
            ((Is == index && (ok = serializer::decode_element(in, 1, out.template emplace<Is>()), true)) || ...);
        if (known) return ok;
        (void)in.fail("no alternative of the variant has this index");
        return in.failed_in_element(0);
    }
};

}  // namespace pgq
