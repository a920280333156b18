#pragma once

#include <pgq/job/members.hpp>
#include <pgq/serializer/json/codec.hpp>
#include <pgq/serializer/json/containers.hpp>
#include <pgq/serializer/json/scalars.hpp>
#include <pgq/serializer/json/struct.hpp>
#include <pgq/serializer/json/sums.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace pgq::detail::sql {

template <class T>
concept says_what_it_writes = requires {
    typename codec<T>::written_as;
};

template <class T, class Parts>
concept made_of_parts = requires {
    requires std::same_as<typename codec<T>::parts, Parts>;
};

// A codec of the user's replaces ours, and its JSON is unknown. Our codecs are recognized by the names in them.
template <class T>
concept own_enum = serializer::detail::json_enum<T> && requires {
    typename codec<T>::number;
};
template <class T>
concept own_struct = adapted<T> && std::derived_from<codec<T>, serializer::detail::struct_codec<T, members_of<T>>>;

template <class T>
inline constexpr std::type_identity<T> as_type{};

template <class T>
inline constexpr bool is_json_bytes = false;
template <class A>
inline constexpr bool is_json_bytes<std::vector<std::byte, A>> = true;

/// What JSON a type's values are written as, in the form that `pgq_json_text` in the database reads. Structs are
/// numbered in the order in which they are found, from the one that `of` is called for; so a struct may contain itself.
///
/// A type with a `pgq::codec` of its own is "any", unless the codec says `using written_as = std::string;`, or another
/// type whose JSON is the same.
class json_shapes {
public:
    /// `required`: members that are not optional must be there.
    explicit json_shapes(bool required) noexcept : required_{required} {}

    template <class T>
    std::string of() {
        if constexpr (says_what_it_writes<T>) return of<typename codec<T>::written_as>();
        else if constexpr (std::same_as<T, bool>) return "\"bool\"";
        else if constexpr (serializer::detail::json_integer<T>) return integer<T>();
        else if constexpr (serializer::detail::json_float<T>) return sizeof(T) == 4 ? "\"float4\"" : "\"float8\"";
        else if constexpr (std::same_as<T, std::string>) return "\"string\"";
        else if constexpr (std::same_as<T, std::monostate>) return "\"null\"";
        else if constexpr (is_json_bytes<T>) return "\"bytes\"";
        else if constexpr (own_enum<T>) return enumeration<T>();
        else if constexpr (own_struct<T>) return std::to_string(number_of<T>());
        else return compound(as_type<T>);
    }

    /// A JSON array of the structs.
    std::string text() const {
        std::string all = "[";
        for (const auto& s : structs_) all += (all.size() == 1 ? "" : ",") + s.shape;
        return all + "]";
    }

private:
    struct known {
        const void* type;
        std::string shape;
    };

    template <class T>
    static std::string integer() {
        using limits = std::numeric_limits<T>;
        return "[\"int\"," + std::to_string(limits::min()) + "," + std::to_string(limits::max()) + "]";
    }
    template <class T>
    static std::string enumeration() {
        if constexpr (std::same_as<std::underlying_type_t<T>, bool>) return "\"bool\"";
        else return integer<std::underlying_type_t<T>>();
    }

    template <class T>
    std::size_t number_of() {
        const void* const type = &as_type<T>;
        const auto same = [&](const known& k) { return k.type == type; };
        const auto found = std::find_if(structs_.begin(), structs_.end(), same);
        const auto n = static_cast<std::size_t>(found - structs_.begin());
        if (found != structs_.end()) return n;
        structs_.push_back({type, {}});
        std::string shape = members(members_of<T>{});
        structs_[n].shape = std::move(shape);
        return n;
    }
    // One after the other: the numbers of structs must not depend on the compiler.
    template <class... Ms>
    std::string members(type_list<Ms...>) {
        std::string all = "[\"struct\"";
        ((all += member<Ms>()), ...);
        return all + "]";
    }
    template <class M>
    std::string member() {
        const bool needed = required_ && !serializer::detail::is_optional<typename M::type>;
        return ",[\"" + std::string{M::name} + "\"," + of<typename M::type>() + (needed ? ",true]" : ",false]");
    }

    template <class... Ts>
    std::string several(std::string_view kind) {
        std::string all = "[\"" + std::string{kind} + "\"";
        ((all += "," + of<Ts>()), ...);
        return all + "]";
    }

    template <class T>
    std::string compound(std::type_identity<T>) {
        return "\"any\"";
    }
    template <class T>
        requires made_of_parts<std::optional<T>, type_list<T>> std::string compound(
            std::type_identity<std::optional<T>>) {
            return several<T>("optional");
        }
    template <class T, class A>
        requires made_of_parts<std::vector<T, A>, type_list<T>> std::string compound(
            std::type_identity<std::vector<T, A>>) {
            return several<T>("list");
        }
    template <class T, std::size_t N>
        requires made_of_parts<std::array<T, N>, type_list<T>> std::string compound(
            std::type_identity<std::array<T, N>>) {
            return "[\"list\"," + of<T>() + "," + std::to_string(N) + "]";
        }
    template <class A, class B>
        requires made_of_parts<std::pair<A, B>, type_list<A, B>> std::string compound(
            std::type_identity<std::pair<A, B>>) {
            return several<A, B>("tuple");
        }
    template <class... Ts>
        requires made_of_parts<std::tuple<Ts...>, type_list<Ts...>> std::string compound(
            std::type_identity<std::tuple<Ts...>>) {
            return several<Ts...>("tuple");
        }
    template <class... Ts>
        requires made_of_parts<std::variant<Ts...>, type_list<Ts...>> std::string compound(
            std::type_identity<std::variant<Ts...>>) {
            return several<Ts...>("variant");
        }
    template <class T, class... Rest>
        requires made_of_parts<std::map<std::string, T, Rest...>, type_list<T>> std::string compound(
            std::type_identity<std::map<std::string, T, Rest...>>) {
            return several<T>("map");
        }
    template <class T, class... Rest>
        requires made_of_parts<std::unordered_map<std::string, T, Rest...>, type_list<T>> std::string compound(
            std::type_identity<std::unordered_map<std::string, T, Rest...>>) {
            return several<T>("map");
        }
    template <class Rep, class Period>
        requires made_of_parts<std::chrono::duration<Rep, Period>, type_list<Rep>> std::string compound(
            std::type_identity<std::chrono::duration<Rep, Period>>) {
            return of<Rep>();
        }
    template <class D>
        requires made_of_parts<std::chrono::sys_time<D>, type_list<D>> std::string compound(
            std::type_identity<std::chrono::sys_time<D>>) {
            return of<D>();
        }

    std::vector<known> structs_;
    bool required_;
};

}  // namespace pgq::detail::sql
