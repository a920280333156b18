#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/wire.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace pgq::driver::pq {

/// A row of an answer in binary format.
struct row_view {
    const PGresult* answer;
    int row;

    std::string_view cell(int column) const noexcept {
        return {PQgetvalue(answer, row, column), static_cast<std::size_t>(PQgetlength(answer, row, column))};
    }
    bool null(int column) const noexcept { return PQgetisnull(answer, row, column) != 0; }
    /// Zero when the cell has another width.
    template <class T>
    T number(int column) const noexcept {
        const auto bytes = cell(column);
        return bytes.size() == sizeof(T) ? statement::wire::load<T>(bytes.data()) : T{};
    }
    bool flag(int column) const noexcept { return number<std::uint8_t>(column) != 0; }
    /// The first character of a cell; `otherwise` when it is empty.
    char letter(int column, char otherwise) const noexcept {
        const auto bytes = cell(column);
        return bytes.empty() ? otherwise : bytes[0];
    }
    /// A timestamptz.
    time_point time(int column) const noexcept { return statement::wire::time_of(number<std::int64_t>(column)); }
    /// Microseconds, at most as many as a duration holds: the server's calendar ends later.
    duration micros(int column) const noexcept {
        constexpr std::int64_t most = duration::max().count() / 1000;
        return std::chrono::microseconds{std::clamp(number<std::int64_t>(column), -most, most)};
    }
};

/// One statement of a batch and, afterwards, its answer.
struct step {
    const statement::query* query = nullptr;
    statement::params params{};
    bool ends_transaction = false;
    bool prepares = false;  ///< the statement is prepared just before it runs
    result_ptr reply{};
    std::optional<error_info> error{};

    int rows() const noexcept { return reply ? PQntuples(reply.get()) : 0; }
    row_view operator[](int row) const noexcept { return {reply.get(), row}; }
};

/// Statements that are sent together, in groups that are each a transaction. A batch that is cleared and filled again
/// allocates nothing: its steps keep their parameter buffers.
class batch {
public:
    void clear() noexcept {
        for (std::size_t i = 0; i < used_; ++i) {
            steps_[i].reply.reset();
            steps_[i].error.reset();
            steps_[i].ends_transaction = steps_[i].prepares = false;
        }
        used_ = 0;
        awaited_.reset();
    }
    /// The query must live until the answers were read.
    statement::params& add(const statement::query& q) {
        if (used_ == steps_.size()) steps_.emplace_back();
        step& s = steps_[used_++];
        s.query = &q;
        s.params.clear();
        return s.params;
    }
    /// Ends the transaction of the statements since the last call.
    void end_transaction() noexcept { steps_[used_ - 1].ends_transaction = true; }

    /// Nobody waits for the answers of the statements that follow, nor reads them. They are sent along.
    void await_no_more() noexcept {
        if (!awaited_) awaited_ = used_;
    }

    std::size_t size() const noexcept { return used_; }
    bool empty() const noexcept { return used_ == 0; }
    /// How many statements, from the first one on, have an answer that somebody waits for.
    std::size_t awaited() const noexcept { return awaited_.value_or(used_); }
    step& operator[](std::size_t i) noexcept { return steps_[i]; }
    const step& operator[](std::size_t i) const noexcept { return steps_[i]; }

private:
    std::deque<step> steps_;
    std::size_t used_ = 0;
    std::optional<std::size_t> awaited_{};
};

/// The answers to a batch, in the order of its statements.
class answers {
public:
    explicit answers(batch& steps) noexcept : steps_{&steps} {}

    std::size_t size() const noexcept { return steps_->size(); }
    const step& operator[](std::size_t i) const noexcept { return (*steps_)[i]; }

    /// The first error of the steps [from, to), in the order of execution. The server skips the rest of a failed
    /// transaction; skipped steps have no error of their own.
    std::optional<error_info> first_error(std::size_t from, std::size_t to) const {
        for (std::size_t i = from; i < to; ++i)
            if ((*steps_)[i].error) return (*steps_)[i].error;
        return std::nullopt;
    }
    std::optional<error_info> first_error() const { return first_error(0, size()); }

    /// Hands over the rows of one answer, for views that outlive the batch.
    std::shared_ptr<PGresult> share(std::size_t i) const { return {(*steps_)[i].reply.release(), clear_result{}}; }

private:
    batch* steps_;
};

}  // namespace pgq::driver::pq
