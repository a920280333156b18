#pragma once

#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// The payloads, headers and limit keys of all jobs of one enqueue call. They share one allocation. The views point
/// into `bytes`.
struct shared_bytes {
    std::string bytes{};
    std::vector<std::string_view> bodies{};
    std::vector<header> headers{};
    std::vector<std::string_view> keys{};

    std::string_view append(std::string_view text) {
        const std::size_t at = bytes.size();
        bytes.append(text);
        return std::string_view{bytes}.substr(at);
    }
};

/// A job in the in-memory database, wherever it is.
struct job {
    job_id id{};
    pgq::rank rank{};
    lane_id lane{};
    std::int16_t attempts = 0;
    std::int16_t flags = 0;  ///< see protocol/tracked.hpp; for a leased job, the lease holds the current flags
    time_point enqueued_at{};
    time_point since{};  ///< when it came to where it waits, if it is not ready
    std::string_view body{};
    std::span<const header> headers{};
    std::optional<std::string_view> key{};        ///< the limit key; a limit per key counts by it
    std::shared_ptr<const shared_bytes> owner{};  ///< owns the bytes of `body`, `headers` and `key`
};

/// The order within a lane: by rank, then by id.
inline bool runs_before(const job& a, const job& b) noexcept {
    return std::pair{a.rank, a.id} < std::pair{b.rank, b.id};
}

inline pgq::rank rank_of(const enqueue_options& o, time_point now) noexcept {
    if (!o.expected_at.is_set()) return pgq::rank::of(o.priority);
    const auto deadline = std::chrono::floor<std::chrono::milliseconds>(resolve(o.expected_at, now));
    return pgq::rank::of(o.priority, deadline.time_since_epoch().count());
}

/// Copies the payloads, headers and keys of a request. The caller owns the originals only during the call.
inline std::shared_ptr<const shared_bytes> copy_bytes(const enqueue_request& r) {
    std::size_t bytes = r.bodies->total_bytes(), headers = 0;
    for (const auto& o : r.options)
        for (const auto& h : o.headers) bytes += h.name.size() + h.value.size(), ++headers;
    auto b = std::make_shared<shared_bytes>();
    if (r.has_keys()) bytes += r.keys->total_bytes();
    b->bytes.reserve(bytes);  // no reallocation from here on, so the views stay valid
    b->headers.reserve(headers);
    b->bodies.reserve(r.bodies->size());
    for (std::size_t i = 0; i < r.bodies->size(); ++i) b->bodies.push_back(b->append((*r.bodies)[i]));
    for (std::size_t i = 0; r.has_keys() && i < r.keys->size(); ++i) b->keys.push_back(b->append((*r.keys)[i]));
    for (const auto& o : r.options)
        for (const auto& h : o.headers) {
            const auto name = b->append(h.name);
            b->headers.push_back({.name = name, .value = b->append(h.value)});
        }
    return b;
}

/// A job that is enqueued now, with nothing but what its options say. The caller adds the lane and the texts.
inline job new_job(job_id id, const enqueue_options& o, time_point now) noexcept {
    return {.id = id, .rank = rank_of(o, now), .enqueued_at = now, .since = now};
}

/// A job as the worker that claims it receives it.
inline job_record record_of(const job& j, std::uint32_t index) {
    return {.id = j.id,
            .rank = j.rank,
            .attempt = j.attempts,
            .enqueued_at = j.enqueued_at,
            .index = index,
            .body = j.body,
            .headers = j.headers,
            .flags = j.flags};
}
/// A job as the sessions that take it or look at it receive it.
inline stored_job stored_of(const job& j) {
    stored_job s{.id = j.id,
                 .lane = j.lane,
                 .rank = j.rank,
                 .attempts = j.attempts,
                 .enqueued_at = j.enqueued_at,
                 .body = std::string{j.body}};
    for (const header& h : j.headers) s.headers.push_back({std::string{h.name}, std::string{h.value}});
    if (j.key) s.key = std::string{*j.key};
    return s;
}
/// The reverse. `headers` gets views; the result refers to it and to `s`.
inline job view_of(const stored_job& s, std::vector<header>& headers) {
    for (const owned_header& h : s.headers) headers.push_back({h.name, h.value});
    return {.id = s.id,
            .rank = s.rank,
            .lane = s.lane,
            .attempts = s.attempts,
            .enqueued_at = s.enqueued_at,
            .body = s.body,
            .headers = headers,
            .key = s.key ? std::optional<std::string_view>{*s.key} : std::nullopt};
}

/// Copies a job together with its bytes. A job that stays for long (held, retried) must not keep the bytes of a whole
/// enqueue call in memory.
inline job detached_copy(const job& j) {
    const enqueue_options options{.headers = j.headers};
    pgq::bodies bodies;
    bodies.bytes().append(j.body);
    bodies.close();
    pgq::bodies keys;
    if (j.key) {
        keys.bytes().append(*j.key);
        keys.close();
    }
    job copy = j;
    copy.owner = copy_bytes({.bodies = &bodies, .options = std::span{&options, 1}, .keys = &keys});
    if (j.key) copy.key = copy.owner->keys.front();
    copy.body = copy.owner->bodies.front();
    copy.headers = copy.owner->headers;
    return copy;
}

}  // namespace pgq::driver::in_memory
