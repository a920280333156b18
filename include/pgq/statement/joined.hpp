#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace pgq::statement {

/// The concatenation of texts as a constant: statements that share most of their text are made of the same parts.
template <const std::string_view&... Parts>
struct joined {
private:
    static constexpr auto bytes = [] {
        std::array<char, (std::size_t{0} + ... + Parts.size())> all{};
        auto at = all.begin();
        ((at = std::copy(Parts.begin(), Parts.end(), at)), ...);
        return all;
    }();

public:
    static constexpr std::string_view text{bytes.data(), bytes.size()};
};

}  // namespace pgq::statement
