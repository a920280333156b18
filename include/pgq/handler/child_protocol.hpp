#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/executor/fork_server.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/record.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

// A job on its way into a child process of its own, and what came of it on the way back.
namespace pgq::detail {

template <class T>
void put(std::string& out, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void put_text(std::string& out, std::string_view text) {
    put(out, text.size());
    out += text;
}

// Both ends are one program, so what is taken is what was put.
template <class T>
T take(std::string_view& from) {
    T value{};
    std::memcpy(&value, from.data(), sizeof value);
    from.remove_prefix(sizeof value);
    return value;
}
inline std::string_view take_text(std::string_view& from) {
    const auto size = take<std::size_t>(from);
    const std::string_view text = from.substr(0, size);
    from.remove_prefix(size);
    return text;
}

/// What a child is told of its job. It looks at the request, which must outlive it.
struct child_job {
    std::size_t type = 0;
    std::size_t version = 0;
    int try_number = 1;
    steady_time must_end_by = steady_time::max();
    job_record record{};
    std::vector<header> headers{};

    static std::string pack(std::size_t type, std::size_t version, const job_record& r, int try_number,
                            steady_time must_end_by) {
        std::string out;
        put(out, type);
        put(out, version);
        put(out, try_number);
        put(out, must_end_by.time_since_epoch().count());
        put(out, r.id);
        put(out, r.rank);
        put(out, r.attempt);
        put(out, r.headers.size());
        for (const auto& h : r.headers) put_text(out, h.name), put_text(out, h.value);
        put_text(out, r.body);
        return out;
    }
    explicit child_job(std::string_view request) {
        type = take<std::size_t>(request);
        version = take<std::size_t>(request);
        try_number = take<int>(request);
        must_end_by = steady_time{duration{take<duration::rep>(request)}};
        record.id = take<job_id>(request);
        record.rank = take<rank>(request);
        record.attempt = take<std::int16_t>(request);
        headers.resize(take<std::size_t>(request));
        for (auto& h : headers) {
            h.name = take_text(request);
            h.value = take_text(request);
        }
        record.headers = headers;
        record.body = take_text(request);
    }
    child_job(const child_job&) = delete;
    child_job& operator=(const child_job&) = delete;
};

// More of a reason than is kept anyway, and less than a socket takes while nobody reads.
inline constexpr std::size_t longest_reason = 32 * 1024;

inline std::string pack_result(const try_result& r) {
    std::string out;
    put(out, r.what.what());
    put(out, r.names_delay);
    put(out, r.what.delay());
    put(out, r.what.result().has_value());
    if (r.what.result()) return out += *r.what.result();
    out += std::string_view{r.what.reason()}.substr(0, longest_reason);
    return out;
}
inline try_result unpack_result(std::string_view from) {
    const auto kind = take<outcome::kind>(from);
    const bool names_delay = take<bool>(from);
    const auto delay = take<duration>(from);
    if (take<bool>(from)) {
        try_result r;
        r.what.give_result(std::string{from});
        return r;
    }
    std::string reason{from};
    switch (kind) {
    case outcome::kind::retry: return {.what = retry_after{delay, std::move(reason)}, .names_delay = names_delay};
    case outcome::kind::snooze: return {.what = snooze{delay}};
    case outcome::kind::discard: return {.what = discard{std::move(reason)}};
    case outcome::kind::hold: return {.what = hold{std::move(reason)}};
    default: return {};
    }
}

/// What an end without an answer means. `told`: we had sent the signal ourselves.
inline try_result result_of(const child_end& end, bool told) {
    std::string why = "the handler's process ";
    switch (end.how) {
    case child_end::kind::by_signal:
        if (told) return {.what = snooze{}};
        why += "was ended by signal " + std::to_string(end.value) + " (" + ::strsignal(end.value) + ")";
        break;
    case child_end::kind::by_exit:
        why += "ended with exit status " + std::to_string(end.value) + " and without an answer";
        break;
    case child_end::kind::not_started:
        why += "could not be started: " + std::system_category().message(end.value);
        break;
    default: return {.what = snooze{std::chrono::seconds{5}}};  // no attempt of the job's is wasted on our trouble
    }
    return {.what = retry_after{{}, std::move(why)}, .names_delay = false};
}

inline error_info no_fork_server() {
    return {std::make_error_code(std::errc::no_child_process), "the process that starts handlers' processes has ended",
            "start the worker again; until then its jobs are put off"};
}

}  // namespace pgq::detail
