#pragma once

#include <pgq/cli/top/canvas.hpp>
#include <pgq/cli/top/request.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A table on a screen: it sorts, filters, and leaves out columns that have no room.
namespace pgq::cli::top {

struct grid_column {
    std::string title{};
    bool at_right = false;
    int rank = 0;           ///< of the columns that do not fit, those with the highest rank are left out
    std::size_t most = 12;  ///< columns of the screen that it takes, unless there is room for more
    bool grows = false;     ///< takes what is left
};

struct grid_cell {
    std::string text{};
    std::optional<double> number{};  ///< what it is sorted by; otherwise the text
};

struct grid_row {
    target of{};  ///< the same in each sample
    std::vector<grid_cell> cells{};
    top::look look = look::plain;
};

struct grid {
    std::vector<grid_column> columns{};
    std::vector<grid_row> rows{};
    bool sortable = true;
};

struct grid_order {
    std::size_t column = 0;
    bool descending = false;
    friend bool operator==(const grid_order&, const grid_order&) = default;
};

/// Whether `text` has `part`, whatever the case of ASCII letters.
inline bool has_text(std::string_view text, std::string_view part) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

inline bool comes_before(const grid_cell& a, const grid_cell& b) {
    if (a.number.has_value() != b.number.has_value()) return b.number.has_value();
    if (a.number && *a.number != *b.number) return *a.number < *b.number;
    return a.number ? false : a.text < b.text;
}

/// Keeps the rows of which a cell has the text, and sorts them. Rows that are equal stay in their order.
inline void arrange(grid& g, const grid_order& order, std::string_view filter) {
    if (!filter.empty())
        std::erase_if(g.rows, [&](const grid_row& r) {
            return std::none_of(r.cells.begin(), r.cells.end(),
                                [&](const auto& c) { return has_text(c.text, filter); });
        });
    if (!g.sortable || order.column >= g.columns.size()) return;
    std::stable_sort(g.rows.begin(), g.rows.end(), [&](const grid_row& a, const grid_row& b) {
        const auto &x = a.cells[order.column], &y = b.cells[order.column];
        return order.descending ? comes_before(y, x) : comes_before(x, y);
    });
}

/// Whether the title of the column shows that the rows are sorted by it.
inline bool has_sign(const grid& g, const grid_order& order, std::size_t column) noexcept {
    return g.sortable && order.column == column;
}

/// How wide each column is on a screen of this width; zero: it is left out.
inline std::vector<std::size_t> column_widths(const grid& g, const grid_order& order, std::size_t width) {
    constexpr std::size_t gap = 2;
    std::vector<std::size_t> widths, wanted;
    for (std::size_t i = 0; i < g.columns.size(); ++i) {
        std::size_t widest = display_width(g.columns[i].title) + (has_sign(g, order, i) ? 1 : 0);
        for (const grid_row& r : g.rows) widest = std::max(widest, display_width(r.cells[i].text));
        wanted.push_back(widest);
        widths.push_back(std::min(widest, g.columns[i].most));
    }
    const auto total = [&] {
        std::size_t sum = 0;
        for (const std::size_t w : widths) sum += w == 0 ? 0 : w + gap;
        return sum;
    };
    while (total() > width) {
        std::size_t last = 0;
        for (std::size_t i = 1; i < widths.size(); ++i)
            if (widths[i] > 0 && (widths[last] == 0 || g.columns[i].rank >= g.columns[last].rank)) last = i;
        if (g.columns[last].rank == 0) break;
        widths[last] = 0;
    }
    for (std::size_t i = 0; i < widths.size() && total() < width; ++i)
        if (widths[i] > 0 && wanted[i] > widths[i]) widths[i] += std::min(wanted[i] - widths[i], width - total());
    for (std::size_t i = 0; i < widths.size() && total() < width; ++i)
        if (widths[i] > 0 && g.columns[i].grows) widths[i] += width - total();
    return widths;
}

/// The names of the columns, and the rows from `first` on in so many lines. The first column of the screen marks the
/// chosen row.
class grid_painter {
public:
    grid_painter(const grid& g, const grid_order& order, const glyphs& with, std::size_t width)
        : grid_{g},
          order_{order},
          with_{with},
          width_{width},
          widths_{column_widths(g, order, width > 2 ? width - 2 : 0)} {}

    line titles() const {
        std::string text = "  ";
        for (std::size_t i = 0; i < widths_.size(); ++i) {
            if (widths_[i] == 0) continue;
            const grid_column& c = grid_.columns[i];
            std::string title = c.title;
            if (has_sign(grid_, order_, i)) title += order_.descending ? with_.descending() : with_.ascending();
            text += with_.fit(title, widths_[i], c.at_right) + "  ";
        }
        return with_.cut(line{{text, look::heading}}, width_);
    }
    line row(std::size_t at, bool chosen) const {
        const grid_row& r = grid_.rows[at];
        std::string text = chosen ? std::string{with_.chosen()} + ' ' : "  ";
        for (std::size_t i = 0; i < widths_.size(); ++i)
            if (widths_[i] > 0) text += with_.fit(r.cells[i].text, widths_[i], grid_.columns[i].at_right) + "  ";
        return {{with_.fit(text, width_), chosen ? look::chosen : r.look}};
    }

private:
    const grid& grid_;
    grid_order order_;
    const glyphs& with_;
    std::size_t width_;
    std::vector<std::size_t> widths_;
};

}  // namespace pgq::cli::top
