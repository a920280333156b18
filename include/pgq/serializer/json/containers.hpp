#pragma once

#include <pgq/serializer/json/codec.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgq {

template <class T, class Allocator>
struct codec<std::vector<T, Allocator>> {
    using parts = detail::type_list<T>;

    static void write(const std::vector<T, Allocator>& value, serializer::json_writer& out) {
        if (!out.begin_array()) return;
        std::size_t i = 0;
        for (const T& element : value) {
            if (!serializer::encode_element(element, i++, out)) return;
        }
        out.end_array();
    }
    static bool read(serializer::json_value in, std::vector<T, Allocator>& out) {
        if (!in.is_array()) return in.expected("an array");
        out.clear();
        // A hostile payload needs two bytes for an element. So it must not make us reserve memory for all elements at
        // once.
        out.reserve(std::min<std::size_t>(in.size(), 1024));
        std::size_t i = 0;
        for (const serializer::json_value element : in.elements()) {
            if (!read_one(element, i++, out)) return false;
        }
        return true;
    }

private:
    static bool read_one(serializer::json_value in, std::size_t i, std::vector<T, Allocator>& out) {
        if constexpr (std::same_as<T, bool>) {
            bool bit = false;
            if (!serializer::decode_element(in, i, bit)) return false;
            out.push_back(bit);
            return true;
        } else {
            return serializer::decode_element(in, i, out.emplace_back());
        }
    }
};

/// An array with exactly `N` elements.
template <class T, std::size_t N>
struct codec<std::array<T, N>> {
    using parts = detail::type_list<T>;

    static void write(const std::array<T, N>& value, serializer::json_writer& out) {
        if (!out.begin_array()) return;
        std::size_t i = 0;
        for (const T& element : value) {
            if (!serializer::encode_element(element, i++, out)) return;
        }
        out.end_array();
    }
    static bool read(serializer::json_value in, std::array<T, N>& out) {
        if (!in.is_array()) return in.expected("an array");
        if (in.size() != N) return in.fail("expected " + std::to_string(N) + " elements");
        std::size_t i = 0;
        for (const serializer::json_value element : in.elements()) {
            if (!serializer::decode_element(element, i, out[i])) return false;
            ++i;
        }
        return true;
    }
};

namespace serializer::detail {

/// An object. Error messages show the index of a member, not its key, because the key is data of the payload.
template <class Map>
struct map_codec {
    using value_type = typename Map::mapped_type;
    using parts = type_list<value_type>;

    static void write(const Map& map, json_writer& out) {
        if (!out.begin_object()) return;
        std::size_t i = 0;
        for (const auto& [key, value] : map) {
            out.key(key);
            if (!encode_element(value, i++, out)) return;
        }
        out.end_object();
    }
    static bool read(json_value in, Map& out) {
        if (!in.is_object()) return in.expected("an object");
        out.clear();
        std::size_t i = 0;
        for (const json_member member : in.members()) {
            const auto [entry, is_new] = out.try_emplace(std::string{member.name});
            if (!is_new) return member.value.fail("the payload has its key twice"), member.value.failed_in_element(i);
            if (!decode_element(member.value, i++, entry->second)) return false;
        }
        return true;
    }
};

}  // namespace serializer::detail

template <class T, class... Rest>
struct codec<std::map<std::string, T, Rest...>> : serializer::detail::map_codec<std::map<std::string, T, Rest...>> {};

template <class T, class... Rest>
struct codec<std::unordered_map<std::string, T, Rest...>>
    : serializer::detail::map_codec<std::unordered_map<std::string, T, Rest...>> {};

}  // namespace pgq
