#pragma once

#include <pgq/cli/output/safe_text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What is drawn: lines of text with a look. Who shows it decides about colours.
namespace pgq::cli::top {

enum class look : std::uint8_t {
    plain,
    faint,    ///< less important
    heading,  ///< names of columns, titles
    chosen,   ///< the selected row, the present view
    notice,   ///< something that a person has done: a pause
    warning,
    alarm,  ///< jobs do not run
};

struct span {
    std::string text{};
    top::look look = look::plain;
    friend bool operator==(const span&, const span&) = default;
};
using line = std::vector<span>;

/// A screen full of lines; none is wider than the screen.
struct frame {
    std::vector<line> lines{};
    bool has_cursor = false;  ///< in the last line, behind its text: somebody types there
};

inline std::string line_text(const line& l) {
    std::string text;
    for (const span& s : l) text += s.text;
    return text;
}
inline std::size_t width_of(const line& l) { return display_width(line_text(l)); }

/// What a terminal shows.
struct glyphs {
    bool utf8 = true;

    std::string_view ellipsis() const noexcept { return utf8 ? "…" : "~"; }
    std::string_view descending() const noexcept { return utf8 ? "▼" : "v"; }
    std::string_view ascending() const noexcept { return utf8 ? "▲" : "^"; }
    std::string_view chosen() const noexcept { return utf8 ? "▸" : ">"; }

    /// Text of others: without control characters and, on a terminal without UTF-8, without other characters.
    std::string safe(std::string_view text) const {
        std::string fine = cli::safe(text);
        if (utf8) return fine;
        std::string out;
        each_character(fine, [&](char32_t c, std::string_view bytes) {
            if (c < 0x80) out += bytes;
            else out += hexadecimal("\\u", c, 4);
        });
        return out;
    }
    /// At most `width` columns of the text; an ellipsis says that there is more.
    std::string cut(std::string_view text, std::size_t width) const {
        if (display_width(text) <= width) return std::string{text};
        std::string out;
        std::size_t used = 0;
        bool full = width == 0;
        each_character(text, [&](char32_t c, std::string_view bytes) {
            const auto w = static_cast<std::size_t>(cli::width_of(c));
            full = full || used + w + 1 > width;
            if (full) return;
            used += w;
            out += bytes;
        });
        return width == 0 ? out : out + std::string{ellipsis()};
    }
    /// Exactly `width` columns.
    std::string fit(std::string_view text, std::size_t width, bool at_right = false) const {
        std::string out = cut(text, width);
        const std::string room(width - std::min(width, display_width(out)), ' ');
        return at_right ? room + out : out + room;
    }
    /// The line without what is right of `width`.
    line cut(const line& l, std::size_t width) const {
        line out;
        std::size_t used = 0;
        for (const span& s : l) {
            std::string text = cut(s.text, width - used);
            used += display_width(text);
            const bool all = text == s.text;
            out.push_back({std::move(text), s.look});
            if (!all) break;
        }
        return out;
    }
    /// `left`, as far as there is room, and `right` at the end of a line of `width`.
    line ends(line left, const line& right, std::size_t width) const {
        const std::size_t wanted = top::width_of(right);
        if (wanted + 2 > width) return cut(left, width);
        left = cut(left, width - wanted - 2);
        const std::size_t used = top::width_of(left);
        left.push_back({std::string(width - used - wanted, ' ')});
        left.insert(left.end(), right.begin(), right.end());
        return left;
    }
};

}  // namespace pgq::cli::top
