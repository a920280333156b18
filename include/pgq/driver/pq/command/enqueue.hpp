#pragma once

#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/doubt.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/track.hpp>
#include <pgq/statement/wire.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::pq::command {

inline result<void> check_size(std::optional<std::string_view> payload, std::size_t max_payload) {
    if (!payload || payload->size() <= max_payload) return {};
    return error_info{
        errc::payload_too_large,
        "the payload has " + std::to_string(payload->size()) + " bytes, max_payload is " + std::to_string(max_payload),
        "store it elsewhere and keep its address, or raise max_payload"};
}

inline result<void> check_jobs(const bodies& all, std::span<const enqueue_options> options, const session_info& info) {
    const std::size_t max_payload = info.max_payload;
    bool has_request_id = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].size() > max_payload)
            return error_info{errc::payload_too_large,
                              "payload " + std::to_string(i) + " has " + std::to_string(all[i].size()) +
                                  " bytes, max_payload is " + std::to_string(max_payload),
                              "store it elsewhere and enqueue its address, or raise max_payload"};
    }
    for (const auto& o : options) {
        if (auto fine = check_headers(o.headers); !fine) return fine;
        if (auto fine = check_unique(o.unique_key); !fine) return fine;
        has_request_id = has_request_id || o.request_id.is_set();
    }
    if (!has_request_id) return {};
    if (info.in_transaction) return pgq::detail::request_id_in_transaction();
    const auto request = pgq::detail::request_id_of(options);
    return request ? result<void>{} : result<void>{request.error()};
}

namespace detail {

inline void append_ids(const step& s, std::vector<job_id>& ids) {
    if (s.rows() != 1) return;
    statement::wire::array_reader all{s[0].cell(0)};
    for (std::size_t i = 0, size = all.size(); i < size; ++i) ids.push_back({all.next_number<std::int64_t>()});
}
inline result<void> counted(std::size_t n, std::size_t found, bool has_request_id = false) {
    if (found == n) return {};
    if (has_request_id) return pgq::detail::other_request(n, found);
    return error_info{errc::protocol, "an enqueue answered with the wrong number of ids"};
}

}  // namespace detail

/// Puts jobs into one lane, all or none. Where the channel allows it, small plain jobs share rows.
class enqueue {
public:
    static constexpr doubt in_doubt = jobs_in_doubt;

    /// `ids` is replaced.
    enqueue(const enqueue_request& r, std::vector<job_id>& ids) : request_{r}, ids_{&ids} { ids.clear(); }

    result<void> check(const session_info& info) const {
        if (request_.bodies->empty()) return {};
        return check_jobs(*request_.bodies, request_.options, info);
    }
    void compose(batch& out, const session_info& info) {
        if (request_.bodies->empty()) return;
        later_ = info.wakes == wake_timing::later;
        packs_ = info.packs && request_.packs() ? count_packs() : 0;
        if (packs_ == 0) statement::bind_enqueue(out.add(statement::enqueue_query(request_)), request_);
        for (std::size_t i = 0; i < packs_; ++i) {
            const std::size_t n = request_.bodies->size(), first = n * i / packs_;
            statement::bind_pack(out.add(statement::enqueue_pack), request_, first, n * (i + 1) / packs_ - first);
        }
        end_and_wake(out, info, {&request_.lane, 1});
    }
    result<void> read(const answers& in) const {
        ids_->clear();
        if (in.size() == 0) return {};
        const std::size_t n = request_.bodies->size(), rows = std::max<std::size_t>(packs_, 1);
        if (auto e = in.first_error(0, rows)) return *e;
        if (in[0].query == &statement::enqueue_one)
            return ids_->push_back({in[0][0].number<std::int64_t>(0)}), result<void>{};
        for (std::size_t i = 0; i < rows; ++i) detail::append_ids(in[i], *ids_);
        // Ids are drawn in input order; the answer may come in another.
        if (packs_ == 0 && in[0].query != &statement::enqueue_tracked) std::sort(ids_->begin(), ids_->end());
        return detail::counted(n, ids_->size(), request_.has_request_id());
    }
    wake_list wakes() const { return later_ ? wake_list{.lanes = {request_.lane}} : wake_list{}; }

private:
    std::size_t count_packs() const noexcept {
        return (request_.bodies->size() + statement::jobs_in_pack - 1) / statement::jobs_in_pack;
    }

    enqueue_request request_;
    std::vector<job_id>* ids_;
    std::size_t packs_ = 0;
    bool later_ = false;
};

/// Draws ids for jobs that are then stored by COPY.
class draw_ids {
public:
    draw_ids(std::size_t n, std::vector<job_id>& ids) : n_{n}, ids_{&ids} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::draw_ids).number(static_cast<std::int32_t>(n_));
        out.end_transaction();
    }
    result<void> read(const answers& in) const {
        ids_->clear();
        if (auto e = in.first_error()) return *e;
        detail::append_ids(in[0], *ids_);
        std::sort(ids_->begin(), ids_->end());
        return detail::counted(n_, ids_->size());
    }

private:
    std::size_t n_;
    std::vector<job_id>* ids_;
};

/// Puts jobs into any lanes, with unique keys and dependencies, all or none.
class enqueue_tracked {
public:
    static constexpr doubt in_doubt = jobs_in_doubt;

    /// `jobs` is replaced.
    enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& jobs) : request_{r}, jobs_{&jobs} {
        jobs.clear();
    }

    result<void> check(const session_info& info) const {
        if (request_.bodies->empty()) return {};
        return check_jobs(*request_.bodies, request_.options, info);
    }
    void compose(batch& out, const session_info& info) {
        if (request_.bodies->empty()) return;
        later_ = info.wakes == wake_timing::later;
        statement::bind_enqueue_tracked(out.add(statement::enqueue_tracked), request_);
        end_and_wake(out, info, request_.lanes);
    }
    result<void> read(const answers& in) const {
        jobs_->clear();
        if (in.size() == 0) return {};
        const step& s = in[0];
        if (s.error) return *s.error;
        if (s.rows() == 1 && !s[0].null(0)) {
            statement::wire::array_reader ids{s[0].cell(0)}, fresh{s[0].cell(1)};
            for (std::size_t i = 0, size = ids.size(); i < size; ++i)
                jobs_->push_back({{ids.next_number<std::int64_t>()}, fresh.next() != std::string_view{"\0", 1}});
        }
        const auto request = pgq::detail::request_id_of(request_.options);
        return detail::counted(request_.bodies->size(), jobs_->size(), request && request->is_set());
    }
    wake_list wakes() const {
        return later_ ? wake_list{.lanes = {request_.lanes.begin(), request_.lanes.end()}} : wake_list{};
    }

private:
    tracked_request request_;
    std::vector<enqueued_job>* jobs_;
    bool later_ = false;
};

}  // namespace pgq::driver::pq::command
