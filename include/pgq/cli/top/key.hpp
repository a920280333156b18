#pragma once

namespace pgq::cli::top {

/// A key: a character, or one of these, which are behind all characters.
using key = char32_t;

namespace keys {

inline constexpr key tab = '\t', enter = '\n', escape = 0x1B, space = ' ', backspace = 0x7F;
inline constexpr key up = 0x110000, down = 0x110001, left = 0x110002, right = 0x110003, page_up = 0x110004,
                     page_down = 0x110005, home = 0x110006, end = 0x110007, back_tab = 0x110008;

constexpr bool is_text(key k) noexcept { return k >= ' ' && k < up && k != backspace; }

}  // namespace keys
}  // namespace pgq::cli::top
