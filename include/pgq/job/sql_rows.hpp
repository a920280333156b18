#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq {

/// The answer to a SQL statement: rows of cells. A cell is the server's text, or nullopt for NULL.
class sql_rows {
public:
    using cell = std::optional<std::string>;

    sql_rows() = default;
    sql_rows(std::vector<std::string> columns, std::vector<cell> cells, std::int64_t affected)
        : columns_{std::move(columns)}, cells_{std::move(cells)}, affected_{affected} {}

    std::size_t size() const noexcept { return columns_.empty() ? 0 : cells_.size() / columns_.size(); }
    bool empty() const noexcept { return size() == 0; }
    /// The cells of one row, in the order of the columns.
    std::span<const cell> operator[](std::size_t row) const noexcept {
        return std::span{cells_}.subspan(row * columns_.size(), columns_.size());
    }
    const std::vector<std::string>& columns() const noexcept { return columns_; }
    /// The number of rows that the statement inserted, updated, deleted or selected.
    std::int64_t affected() const noexcept { return affected_; }

private:
    std::vector<std::string> columns_{};
    std::vector<cell> cells_{};
    std::int64_t affected_ = 0;
};

}  // namespace pgq
