#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/executor/fork_server.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/headers.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

// What passes between a worker and a child process: a job on its way there, and the result of its handler on the way
// back.
namespace pgq::detail {

/// Writes a message. Both ends are one program, so values go as they are in memory.
class message_writer {
public:
    template <class T>
    void put(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void put_text(std::string_view text) {
        put(text.size());
        out_ += text;
    }
    /// Text up to the end of the message.
    void put_rest(std::string_view text) { out_ += text; }
    std::string message() && noexcept { return std::move(out_); }

private:
    std::string out_;
};

/// Reads a message. If it is too short for what is read from it, or holds an impossible value, `failed()` is true from
/// then on and values are empty ones.
class message_reader {
public:
    explicit message_reader(std::string_view message) noexcept : rest_{message} {}

    template <class T>
    T get() noexcept {
        static_assert(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool> && !std::is_enum_v<T>);
        T value{};
        if (failed_ || rest_.size() < sizeof value) return failed_ = true, T{};
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_.remove_prefix(sizeof value);
        return value;
    }
    bool get_bool() noexcept { return get_below(2) != 0; }
    /// A number below `end`, of one byte.
    std::uint8_t get_below(std::uint8_t end) noexcept {
        const auto value = get<std::uint8_t>();
        if (value >= end) return failed_ = true, std::uint8_t{0};
        return value;
    }
    std::string_view get_text() noexcept {
        const auto size = get<std::size_t>();
        if (failed_ || rest_.size() < size) return failed_ = true, std::string_view{};
        const std::string_view text = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return text;
    }
    /// How many elements follow, each of at least `bytes`.
    std::size_t get_count(std::size_t bytes) noexcept {
        const auto count = get<std::size_t>();
        if (failed_ || count > rest_.size() / bytes) return failed_ = true, std::size_t{0};
        return count;
    }
    std::string_view rest() const noexcept { return rest_; }
    bool failed() const noexcept { return failed_; }

private:
    std::string_view rest_;
    bool failed_ = false;
};

/// What a child process gets to know of its job. It refers to the request, which must outlive it.
struct child_job {
    std::size_t type = 0;
    std::size_t version = 0;
    int try_number = 1;
    steady_time must_end_by = steady_time::max();
    job_record record{};
    std::vector<header> headers{};
    std::string_view queue{};
    std::optional<trace::context> span{};  ///< of the attempt
    bool is_whole = false;                 ///< false if the request cannot be read; the rest means nothing then

    static std::string encode(std::size_t type, std::size_t version, const job_record& r, int try_number,
                              steady_time must_end_by, std::string_view queue, const trace::context* span) {
        message_writer out;
        out.put(type);
        out.put(version);
        out.put(try_number);
        out.put(must_end_by.time_since_epoch().count());
        out.put(r.id);
        out.put(r.rank);
        out.put(r.attempt);
        out.put(r.enqueued_at.time_since_epoch().count());
        out.put_text(queue);
        out.put_text(span != nullptr ? trace::traceparent{*span}.text() : std::string_view{});
        out.put_text(span != nullptr ? span->state : std::string_view{});
        out.put(r.headers.size());
        for (const auto& h : r.headers) out.put_text(h.name), out.put_text(h.value);
        out.put_text(r.body);
        return std::move(out).message();
    }
    explicit child_job(std::string_view request) {
        message_reader in{request};
        type = in.get<std::size_t>();
        version = in.get<std::size_t>();
        try_number = in.get<int>();
        must_end_by = steady_time{duration{in.get<duration::rep>()}};
        record.id = in.get<job_id>();
        record.rank = in.get<rank>();
        record.attempt = in.get<std::int16_t>();
        record.enqueued_at = time_point{time_point::duration{in.get<time_point::rep>()}};
        queue = in.get_text();
        const std::string_view parent = in.get_text(), state = in.get_text();
        span = trace::parse(parent, state);
        headers.resize(in.get_count(2 * sizeof(std::size_t)));
        for (auto& h : headers) {
            h.name = in.get_text();
            h.value = in.get_text();
        }
        record.headers = headers;
        record.body = in.get_text();
        is_whole = !in.failed();
    }
    child_job(const child_job&) = delete;
    child_job& operator=(const child_job&) = delete;
};

// More of a reason than is kept anyway, and less than a socket takes while nobody reads.
inline constexpr std::size_t longest_reason = 32768;

inline std::string encode_result(const try_result& r) {
    message_writer out;
    out.put(static_cast<std::uint8_t>(r.what.what()));
    out.put(static_cast<std::uint8_t>(r.has_delay));
    out.put(r.what.delay());
    out.put(static_cast<std::uint8_t>(r.what.result().has_value()));
    if (r.what.result()) out.put_rest(*r.what.result());
    else out.put_rest(std::string_view{r.what.reason()}.substr(0, longest_reason));
    return std::move(out).message();
}

/// A failed attempt if the answer cannot be read: the handler has spoiled it.
inline try_result decode_result(std::string_view answer) {
    message_reader in{answer};
    const auto kind = static_cast<outcome::kind>(in.get_below(outcome::kinds));
    const bool has_delay = in.get_bool();
    const auto delay = in.get<duration>();
    const bool has_result = in.get_bool();
    if (in.failed())
        return {.what = retry_after{{}, "the answer of the handler's process cannot be read"}, .has_delay = false};
    std::string text{in.rest()};
    if (has_result) {
        try_result r;
        r.what.give_result(std::move(text));
        return r;
    }
    switch (kind) {
    case outcome::kind::retry: return {.what = retry_after{delay, std::move(text)}, .has_delay = has_delay};
    case outcome::kind::snooze: return {.what = snooze{delay}};
    case outcome::kind::release: return {.what = release{}};
    case outcome::kind::discard: return {.what = discard{std::move(text)}};
    case outcome::kind::hold: return {.what = hold{std::move(text)}};
    case outcome::kind::done: break;
    }
    return {};
}

/// What the end of a child without an answer means. `stop_requested`: the worker had sent the signal.
inline try_result result_of(const child_end& end, bool stop_requested) {
    std::string why = "the handler's process ";
    switch (end.how) {
    case child_end::kind::by_signal:
        if (stop_requested) return {.what = release{}};
        // The C library keeps this text for each thread.
        // NOLINTNEXTLINE(concurrency-mt-unsafe)
        why += "was ended by signal " + std::to_string(end.value) + " (" + ::strsignal(end.value) + ")";
        break;
    case child_end::kind::by_exit:
        why += "ended with exit status " + std::to_string(end.value) + " and without an answer";
        break;
    case child_end::kind::not_started:
        why += "could not be started: " + std::system_category().message(end.value);
        break;
    default: return {.what = snooze{std::chrono::seconds{5}}};  // a problem of the worker costs the job no attempt
    }
    return {.what = retry_after{{}, std::move(why)}, .has_delay = false};
}

inline error_info no_fork_server() {
    return {std::make_error_code(std::errc::no_child_process), "the process that starts handlers' processes has ended",
            "start the worker again; until then its jobs are put off"};
}

}  // namespace pgq::detail
