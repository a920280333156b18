#pragma once

#include <pgq/driver/pq/script.hpp>
#include <pgq/job/record.hpp>
#include <pgq/statement/wire.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// What the records of a claim look at: the server's answer itself, and the headers cut out of it.
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

inline bool read_lease(row_view row, claimed_lease& lease, const std::shared_ptr<lease_storage>& storage) {
    namespace wire = statement::wire;
    lease.ref = {row.number<std::int64_t>(0), wire::load_tid(row.cell(1).data())};
    lease.lane = {row.number<std::int32_t>(2)};
    wire::array_reader ids{row.cell(3)}, ranks{row.cell(4)}, attempts{row.cell(5)}, bodies{row.cell(6)};
    const std::size_t n = ids.size();
    if (n == 0 || ranks.size() != n || attempts.size() != n || bodies.size() != n) return false;
    lease.jobs.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        auto& job = lease.jobs[i];
        job.id = {ids.next_number<std::int64_t>()};
        job.rank = {ranks.next_number<std::int64_t>()};
        job.attempt = attempts.next_number<std::int16_t>();
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
    const auto before = [](const job_record& a, const job_record& b) {
        return std::pair{a.rank, a.id} < std::pair{b.rank, b.id};
    };
    // Rows come in physical order, which is nearly always this one.
    if (!std::is_sorted(lease.jobs.begin(), lease.jobs.end(), before))
        std::sort(lease.jobs.begin(), lease.jobs.end(), before);
    lease.storage = storage;
    return ids.ok() && ranks.ok() && attempts.ok() && bodies.ok();
}

}  // namespace detail

/// Turns the answer of a claim into leases that look into it.
inline result<void> read_leases(step& s, std::vector<claimed_lease>& out) {
    const std::shared_ptr<PGresult> answer{s.reply.release(), clear_result{}};
    for (int row = 0, rows = PQntuples(answer.get()); row < rows; ++row) {
        if (PQgetisnull(answer.get(), row, 0) != 0) continue;  // says something about a lane only
        auto storage = std::make_shared<lease_storage>();
        storage->answer = answer;
        out.emplace_back();
        if (!detail::read_lease({answer.get(), row}, out.back(), storage))
            return error_info{errc::protocol, "a claim's answer cannot be read",
                              "is the schema the one of this version?"};
    }
    return {};
}

}  // namespace pgq::driver::pq
