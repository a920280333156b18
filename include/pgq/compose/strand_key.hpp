#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <concepts>
#include <cstddef>
#include <functional>

// What a member needs to be the key of a strand.
namespace pgq::detail {

template <class Key>
concept hashable = requires(const Key& k) {
    { std::hash<Key>{}(k) } -> std::convertible_to<std::size_t>;
    { k == k } -> std::convertible_to<bool>;
};

template <class Key>
concept orderable = requires(const Key& k) {
    { k < k } -> std::convertible_to<bool>;
};

}  // namespace pgq::detail
