#pragma once

#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pgq::cli {

/// A value of a table; monostate is none.
using cell = std::variant<std::monostate, std::string, std::int64_t, double, bool, time_point, duration, capped_count>;

/// What the cells of a column are. Numbers and spans of time stand at the right of a column, the others at the left.
enum class kind : std::uint8_t { text, number, time, truth, span, count };

struct column {
    std::string name;  ///< "entrypoint", "wait_p99"
    cli::kind kind = cli::kind::text;

    bool at_right() const noexcept { return kind == kind::number || kind == kind::span || kind == kind::count; }
};

/// Rows of typed cells. See output/format.hpp.
class table {
public:
    explicit table(std::vector<column> columns) : columns_{std::move(columns)} {}

    /// One cell for each column.
    void add(std::vector<cell> row) {
        row.resize(columns_.size());
        cells_.insert(cells_.end(), std::make_move_iterator(row.begin()), std::make_move_iterator(row.end()));
    }

    const std::vector<column>& columns() const noexcept { return columns_; }
    std::size_t size() const noexcept { return cells_.size() / columns_.size(); }
    std::span<const cell> operator[](std::size_t row) const noexcept {
        return std::span{cells_}.subspan(row * columns_.size(), columns_.size());
    }

private:
    std::vector<column> columns_;
    std::vector<cell> cells_{};
};

/// A cell of a value that may be missing.
template <class T>
cell cell_of(const std::optional<T>& value) {
    return value ? cell{*value} : cell{};
}

}  // namespace pgq::cli
