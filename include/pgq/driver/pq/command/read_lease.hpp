#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/header.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/statement/wire.hpp>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq::command {

/// The number of columns that a claim answers: `{answered_lease}`, the expiries and the time; see statement/claim.hpp.
inline constexpr int lease_columns = 12;

/// What the records of a claim point into: the server's answer itself, and the headers cut out of it.
struct lease_storage {
    std::shared_ptr<PGresult> answer;
    std::vector<header> headers;
};

namespace detail {

// Headers come flat as (position from 1, name, value), in the order of the positions.
inline bool read_headers(std::string_view cell, claimed_lease& lease, lease_storage& storage) {
    statement::wire::array_reader flat{cell};
    const std::size_t n = flat.size() / 3;
    storage.headers.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        const auto position = flat.next();
        std::size_t index = 0;
        std::from_chars(position.data(), position.data() + position.size(), index);
        const auto name = flat.next();
        storage.headers.push_back({name, flat.next()});
        if (index == 0 || index > lease.jobs.size()) return false;
        auto& mine = lease.jobs[index - 1].headers;
        mine = {mine.empty() ? &storage.headers.back() : mine.data(), mine.size() + 1};
    }
    return flat.ok();
}

// An array of a number for each of n jobs, or of one for all of them.
template <std::integral T>
class one_for_each {
public:
    one_for_each(std::string_view cell, std::size_t n) noexcept : each_{cell}, same_{each_.size() == 1 && n != 1} {
        fits_ = same_ || each_.size() == n;
        if (same_) value_ = each_.template next_number<T>();
    }
    T next() noexcept { return same_ ? value_ : each_.template next_number<T>(); }
    bool ok() const noexcept { return fits_ && each_.ok(); }

private:
    statement::wire::array_reader each_;
    bool same_, fits_;
    T value_{};
};

inline bool read_lease(row_view row, claimed_lease& lease, const std::shared_ptr<lease_storage>& storage) {
    namespace wire = statement::wire;
    lease.ref = {row.number<std::int64_t>(0), wire::load_tid(row.cell(1).data())};
    lease.lane = {row.number<std::int32_t>(2)};
    lease.claimed_at = row.time(11);
    wire::array_reader ids{row.cell(3)}, bodies{row.cell(6)};
    const std::size_t n = ids.size();
    one_for_each<std::int64_t> ranks{row.cell(4), n};
    one_for_each<std::int16_t> attempts{row.cell(5), n};
    one_for_each<std::int64_t> times{row.cell(9), n};
    if (n == 0 || !ranks.ok() || !attempts.ok() || !times.ok() || bodies.size() != n) return false;
    lease.jobs.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        auto& job = lease.jobs[i];
        job.id = {ids.next_number<std::int64_t>()};
        job.rank = {ranks.next()};
        job.attempt = attempts.next();
        job.enqueued_at = wire::time_of(times.next());
        job.index = static_cast<std::uint32_t>(i);
        job.body = bodies.next();
    }
    if (!row.null(7) && !read_headers(row.cell(7), lease, *storage)) return false;
    if (!row.null(8)) {
        wire::array_reader flags{row.cell(8)};
        for (std::size_t i = 0; i < n && i < flags.size(); ++i) {
            const auto one = flags.next();
            lease.jobs[i].flags = one.size() == 2 ? wire::load<std::int16_t>(one.data()) : std::int16_t{0};
        }
    }
    if (!row.null(10)) {
        wire::array_reader left{row.cell(10)};
        for (std::size_t i = 0; i < n && i < left.size(); ++i) {
            const auto one = left.next();
            lease.expires_in.push_back(one.size() == 8 ? std::chrono::microseconds{wire::load<std::int64_t>(one.data())}
                                                       : never_expires);
        }
    }
    const auto before = [](const job_record& a, const job_record& b) {
        return std::pair{a.rank, a.id} < std::pair{b.rank, b.id};
    };
    // Rows come in physical order, which is nearly always this one.
    if (!std::is_sorted(lease.jobs.begin(), lease.jobs.end(), before))
        std::sort(lease.jobs.begin(), lease.jobs.end(), before);
    lease.storage = storage;
    return ids.ok() && ranks.ok() && attempts.ok() && times.ok() && bodies.ok();
}

}  // namespace detail

/// Turns the answer of a claim into leases that point into it.
inline result<void> read_leases(const std::shared_ptr<PGresult>& answer, std::vector<claimed_lease>& out) {
    for (int row = 0, rows = PQntuples(answer.get()); row < rows; ++row) {
        if (PQgetisnull(answer.get(), row, 0) != 0) continue;  // tells something about a lane only
        auto storage = std::make_shared<lease_storage>();
        storage->answer = answer;
        out.emplace_back();
        if (!detail::read_lease({answer.get(), row}, out.back(), storage))
            return error_info{errc::protocol, "a claim's answer cannot be read",
                              "is the schema the one of this version?"};
    }
    return {};
}

}  // namespace pgq::driver::pq::command
