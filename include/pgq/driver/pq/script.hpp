#pragma once

#include <pgq/driver/pq/handle.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
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
    /// A number of microseconds. The end of the calendar is more nanoseconds away than a duration holds.
    duration micros(int column) const noexcept {
        constexpr std::int64_t most = duration::max().count() / 1000;
        return std::chrono::microseconds{std::clamp(number<std::int64_t>(column), -most, most)};
    }
};

/// One statement of a pipeline and, afterwards, its answer.
struct step {
    const statement::query* query = nullptr;
    statement::params params{};
    bool sync = false;      ///< its transaction ends after it
    bool prepares = false;  ///< it is prepared on the way
    result_ptr reply{};
    std::optional<error_info> error{};

    int rows() const noexcept { return reply ? PQntuples(reply.get()) : 0; }
    row_view operator[](int row) const noexcept { return {reply.get(), row}; }
};

/// Runs one statement on a connection that is not in pipeline mode, blocking.
inline void execute(PGconn* c, step& s, std::string_view schema) {
    const auto text = statement::render(s.query->text, schema);
    const char* values[statement::params::max_count];
    int lengths[statement::params::max_count];
    int formats[statement::params::max_count];
    for (std::size_t i = 0; i < s.params.size(); ++i) {
        values[i] = s.params.value(i);
        lengths[i] = s.params.length(i);
        formats[i] = 1;
    }
    s.reply.reset(PQexecParams(c, text.c_str(), static_cast<int>(s.params.size()), s.params.types(), values, lengths,
                               formats, 1));
}

/// Statements for one pipeline, in groups that are each a transaction. Cleared and filled again it allocates nothing:
/// steps keep their parameter buffers.
class script {
public:
    void clear() noexcept {
        for (std::size_t i = 0; i < used_; ++i) {
            steps_[i].reply.reset();
            steps_[i].error.reset();
            steps_[i].sync = steps_[i].prepares = false;
        }
        used_ = 0;
    }
    statement::params& add(const statement::query& q) {
        if (used_ == steps_.size()) steps_.emplace_back();
        step& s = steps_[used_++];
        s.query = &q;
        s.params.clear();
        return s.params;
    }
    /// Ends the transaction of the statements since the last call.
    void sync() noexcept { steps_[used_ - 1].sync = true; }

    std::size_t size() const noexcept { return used_; }
    step& operator[](std::size_t i) noexcept { return steps_[i]; }
    const step& operator[](std::size_t i) const noexcept { return steps_[i]; }

    /// The first error of the steps [from, to), in the order of execution. What a server answers to the rest of a failed
    /// transaction is not an error of its own.
    std::optional<error_info> first_error(std::size_t from, std::size_t to) const {
        for (std::size_t i = from; i < to; ++i)
            if (steps_[i].error) return steps_[i].error;
        return std::nullopt;
    }

private:
    std::deque<step> steps_;
    std::size_t used_ = 0;
};

}  // namespace pgq::driver::pq
