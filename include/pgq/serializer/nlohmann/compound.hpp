#pragma once

#include <pgq/serializer/json/sums.hpp>
#include <pgq/serializer/nlohmann/codec.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

// Types that consist of other types. The codec of each part writes and reads it.
namespace pgq::serializer::detail {

template <class T>
bool element_to_dom(const T& value, std::size_t i, dom& array, dom_pass& pass) {
    return to_dom(value, array.emplace_back(nullptr), pass) || pass.in_element(i);
}
template <class T>
bool element_from_dom(const dom& array, std::size_t i, T& out, dom_pass& pass) {
    return from_dom(array[i], out, pass) || pass.in_element(i);
}

template <class T>
struct dom_codec<std::vector<T>> {
    using parts = type_list<T>;
    static bool write(const std::vector<T>& value, dom& out, dom_pass& pass) {
        if (!pass.enter()) return false;
        out = dom::array();
        std::size_t i = 0;
        for (const T& element : value)
            if (!element_to_dom<T>(element, i++, out, pass)) return false;
        return pass.leave(), true;
    }
    static bool read(const dom& in, std::vector<T>& out, dom_pass& pass) {
        if (!in.is_array()) return pass.expected("an array", in);
        out.clear();
        for (std::size_t i = 0; i < in.size(); ++i) {
            if constexpr (std::same_as<T, bool>) {
                bool bit = false;
                if (!element_from_dom(in, i, bit, pass)) return false;
                out.push_back(bit);
            } else if (!element_from_dom(in, i, out.emplace_back(), pass)) return false;
        }
        return true;
    }
};

template <class T, std::size_t N>
struct dom_codec<std::array<T, N>> {
    using parts = type_list<T>;
    static bool write(const std::array<T, N>& value, dom& out, dom_pass& pass) {
        if (!pass.enter()) return false;
        out = dom::array();
        for (std::size_t i = 0; i < N; ++i)
            if (!element_to_dom(value[i], i, out, pass)) return false;
        return pass.leave(), true;
    }
    static bool read(const dom& in, std::array<T, N>& out, dom_pass& pass) {
        if (!in.is_array()) return pass.expected("an array", in);
        if (in.size() != N) return pass.fail("expected " + std::to_string(N) + " elements");
        for (std::size_t i = 0; i < N; ++i)
            if (!element_from_dom(in, i, out[i], pass)) return false;
        return true;
    }
};

/// Error messages show the index of a member, not its key, because the key is data of the payload.
template <class Map>
struct dom_map_codec {
    using parts = type_list<typename Map::mapped_type>;
    static bool write(const Map& map, dom& out, dom_pass& pass) {
        if (!pass.enter()) return false;
        out = dom::object();
        std::size_t i = 0;
        for (const auto& [key, value] : map) {
            if (pass.form == dom_form::text && !pgq::detail::is_valid_utf8(key))
                return pass.fail("the text is not UTF-8", errc::invalid_text), pass.in_element(i);
            if (!to_dom(value, out[key], pass)) return pass.in_element(i);
            ++i;
        }
        return pass.leave(), true;
    }
    static bool read(const dom& in, Map& out, dom_pass& pass) {
        if (!in.is_object()) return pass.expected("an object", in);
        out.clear();
        std::size_t i = 0;
        for (const auto& [key, value] : in.get_ref<const dom::object_t&>())
            if (!from_dom(value, out[key], pass)) return pass.in_element(i);
            else ++i;
        return true;
    }
};
template <class T, class... Rest>
struct dom_codec<std::map<std::string, T, Rest...>> : dom_map_codec<std::map<std::string, T, Rest...>> {};
template <class T, class... Rest>
struct dom_codec<std::unordered_map<std::string, T, Rest...>>
    : dom_map_codec<std::unordered_map<std::string, T, Rest...>> {};

template <class Tuple, class... Ts>
struct dom_tuple_codec {
    using parts = type_list<Ts...>;
    static bool write(const Tuple& value, dom& out, dom_pass& pass) {
        if (!pass.enter()) return false;
        out = dom::array();
        std::size_t i = 0;
        const auto each = [&](const auto&... element) { return (element_to_dom(element, i++, out, pass) && ...); };
        if (!std::apply(each, value)) return false;
        return pass.leave(), true;
    }
    static bool read(const dom& in, Tuple& out, dom_pass& pass) {
        if (!in.is_array()) return pass.expected("an array", in);
        if (in.size() != sizeof...(Ts)) return pass.fail("expected " + std::to_string(sizeof...(Ts)) + " elements");
        std::size_t i = 0;
        return std::apply([&](auto&... element) { return (element_from_dom(in, i++, element, pass) && ...); }, out);
    }
};
template <class A, class B>
struct dom_codec<std::pair<A, B>> : dom_tuple_codec<std::pair<A, B>, A, B> {};
template <class... Ts>
struct dom_codec<std::tuple<Ts...>> : dom_tuple_codec<std::tuple<Ts...>, Ts...> {};

template <>
struct dom_codec<std::monostate> {
    using parts = type_list<>;
    static bool write(std::monostate, dom& out, dom_pass&) { return out = nullptr, true; }
    static bool read(const dom& in, std::monostate&, dom_pass& pass) {
        return in.is_null() || pass.expected("null", in);
    }
};

template <class T>
    requires(!is_optional<T> && !std::same_as<T, std::monostate>)
struct dom_codec<std::optional<T>> {
    using parts = type_list<T>;
    static bool write(const std::optional<T>& value, dom& out, dom_pass& pass) {
        if (value) return to_dom(*value, out, pass);
        return out = nullptr, true;
    }
    static bool read(const dom& in, std::optional<T>& out, dom_pass& pass) {
        out.reset();
        return in.is_null() || from_dom(in, out.emplace(), pass);
    }
};

/// Written as `[index, value]`, as in serializer::json.
template <class... Ts>
struct dom_codec<std::variant<Ts...>> {
    using parts = type_list<Ts...>;
    using variant = std::variant<Ts...>;

    static bool write(const variant& value, dom& out, dom_pass& pass) {
        if (value.valueless_by_exception()) return pass.fail("a variant without a value");
        if (!pass.enter()) return false;
        out = dom::array({value.index()});
        const auto one = [&](const auto& alternative) { return element_to_dom(alternative, 1, out, pass); };
        if (!std::visit(one, value)) return false;
        return pass.leave(), true;
    }
    static bool read(const dom& in, variant& out, dom_pass& pass) {
        if (!in.is_array()) return pass.expected("an array", in);
        if (in.size() != 2) return pass.fail("expected 2 elements");
        std::size_t index = 0;
        if (!element_from_dom(in, 0, index, pass)) return false;
        return read_alternative(in, index, out, pass, std::index_sequence_for<Ts...>{});
    }

private:
    template <std::size_t... Is>
    static bool read_alternative(const dom& in, std::size_t index, variant& out, dom_pass& pass,
                                 std::index_sequence<Is...>) {
        bool ok = false;
        const bool known =
            ((Is == index && (ok = element_from_dom(in, 1, out.template emplace<Is>(), pass), true)) || ...);
        if (known) return ok;
        (void)pass.fail("no alternative of the variant has this index");
        return pass.in_element(0);
    }
};

template <class Rep, class Period>
struct dom_codec<std::chrono::duration<Rep, Period>> {
    using parts = type_list<Rep>;
    using duration = std::chrono::duration<Rep, Period>;
    static bool write(duration value, dom& out, dom_pass& pass) { return to_dom(value.count(), out, pass); }
    static bool read(const dom& in, duration& out, dom_pass& pass) {
        Rep count{};
        if (!from_dom(in, count, pass)) return false;
        out = duration{count};
        return true;
    }
};
template <class Duration>
struct dom_codec<std::chrono::sys_time<Duration>> {
    using parts = type_list<Duration>;
    using moment = std::chrono::sys_time<Duration>;
    static bool write(moment value, dom& out, dom_pass& pass) { return to_dom(value.time_since_epoch(), out, pass); }
    static bool read(const dom& in, moment& out, dom_pass& pass) {
        Duration since{};
        if (!from_dom(in, since, pass)) return false;
        out = moment{since};
        return true;
    }
};

template <class T, class Members>
struct dom_struct_codec;
template <class T, class... Ms>
struct dom_struct_codec<T, type_list<Ms...>> {
    using parts = type_list<typename Ms::type...>;

    static bool write(const T& value, dom& out, dom_pass& pass) {
        if (!pass.enter()) return false;
        out = dom::object();
        if (!(write_member<Ms>(value, out, pass) && ...)) return false;
        return pass.leave(), true;
    }
    static bool read(const dom& in, T& out, dom_pass& pass) {
        if (!in.is_object()) return pass.expected("an object", in);
        if (!(read_member<Ms>(in, out, pass) && ...)) return false;
        return pass.options.unknown == if_unknown::ignore || knows_all(in, pass);
    }

private:
    template <class M>
    static bool write_member(const T& value, dom& out, dom_pass& pass) {
        return to_dom(M::get(value), out[std::string{M::name}], pass) || pass.in_member(M::name);
    }
    template <class M>
    static bool read_member(const dom& in, T& out, dom_pass& pass) {
        const auto at = in.find(M::name);
        if (at != in.end()) return from_dom(*at, M::get(out), pass) || pass.in_member(M::name);
        if (pass.options.missing == if_missing::use_default || is_optional<typename M::type>) return true;
        (void)pass.fail("the payload lacks it", errc::missing_member);
        return pass.in_member(M::name);
    }
    static bool knows_all(const dom& in, dom_pass& pass) {
        for (const auto& [name, value] : in.get_ref<const dom::object_t&>()) {
            if (((name == Ms::name) || ...)) continue;
            (void)pass.fail("the job type has no such member", errc::unknown_member);
            return pass.in_member(name);
        }
        return true;
    }
};
template <adapted T>
    requires(!has_own_dom_code<T>)
struct dom_codec<T> : dom_struct_codec<T, members_of<T>> {};

template <class T>
concept has_dom_codec = requires {
    typename dom_codec<T>::parts;
};

template <class T, class Seen>
consteval bool is_dom_encodable();

template <class Parts, class Seen>
inline constexpr bool are_dom_encodable = false;
template <class... Parts, class Seen>
inline constexpr bool are_dom_encodable<type_list<Parts...>, Seen> = (is_dom_encodable<Parts, Seen>() && ...);

template <class T, class Seen>
consteval bool is_dom_encodable() {
    if constexpr (contains_v<T, Seen>) return true;
    else if constexpr (!std::is_object_v<T> || std::is_const_v<T> || std::is_volatile_v<T> || std::is_array_v<T>)
        return false;
    else if constexpr (std::default_initializable<T> && std::movable<T> && has_dom_codec<T>)
        return are_dom_encodable<typename dom_codec<T>::parts, typename pgq::detail::concat<Seen, type_list<T>>::type>;
    else return false;
}

}  // namespace pgq::serializer::detail

namespace pgq::serializer {

/// A type that `nlohmann` and `msgpack` can write and read, including all its parts.
template <class T>
concept can_be_dom = detail::is_dom_encodable<T, pgq::detail::type_list<>>();

}  // namespace pgq::serializer
