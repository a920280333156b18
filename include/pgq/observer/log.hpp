#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/detail/lifetimebound.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/error/sqlstate.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/scheduled_at.hpp>
#include <pgq/observer/log_record.hpp>
#include <pgq/time/clock.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace pgq::observer {

/// The level of each event, and the lowest level that is written.
struct log_options {
    log_level least = log_level::info;       ///< events below this level are not written
    log_format format = log_format::logfmt;  ///< of the lines; a sink that takes records does not see it
    bool with_time = false;                  ///< begin with the time by the clock of this machine

    log_level worker_started = log_level::info;
    log_level worker_stopped = log_level::info;
    log_level jobs_claimed = log_level::debug;
    log_level job_started = log_level::debug;
    log_level job_done = log_level::debug;      ///< job_finished, if the outcome is done or snooze
    log_level job_failed = log_level::warning;  ///< job_finished, if the outcome is retry or discard
    log_level job_held = log_level::error;      ///< job_finished, if the outcome is hold
    log_level lease_lost = log_level::warning;
    log_level connection_failed = log_level::warning;
    log_level connection_restored = log_level::info;
    log_level jobs_rescued = log_level::warning;
    log_level error = log_level::warning;
    log_level try_failed = log_level::info;
    log_level handler_exceeded_timeout = log_level::error;
    log_level limit_differs = log_level::warning;
    log_level held_by_rescue = log_level::error;
    log_level schedule_fired = log_level::debug;
    log_level schedule_skipped = log_level::info;  ///< a warning if there was an error
    log_level schedule_missed = log_level::warning;
    log_level database_problem_found = log_level::warning;
    log_level paused = log_level::warning;
    log_level resumed = log_level::info;
    log_level jobs_enqueued = log_level::debug;
    log_level jobs_returned = log_level::info;
    log_level job_cancelled = log_level::info;
    log_level cancel_requested = log_level::info;
};

/// A sink that writes each line to standard error with one call.
struct to_stderr {
    void operator()(std::string_view line) const {
        std::string whole{line};
        whole += '\n';
        std::fwrite(whole.data(), 1, whole.size(), stderr);
    }
};

/// A sink that writes lines to a stream of the caller and flushes it. The stream must outlive the sink. Without a
/// stream it writes as to_stderr: so a program that only enqueues need not make a log.
class to_stream {
public:
    to_stream() noexcept = default;
    to_stream(std::ostream& out PGQ_LIFETIMEBOUND) noexcept : out_{&out} {}

    void operator()(std::string_view line) {
        if (out_ == nullptr) return to_stderr{}(line);
        *out_ << line << '\n' << std::flush;
    }

private:
    std::ostream* out_ = nullptr;
};

/// A function that takes records or lines.
template <class Sink>
concept log_sink = std::invocable<Sink&, const log_record&> || std::invocable<Sink&, std::string_view>;

/// Writes one line for each event: `level=warning event=job_finished job=7 queue=default entrypoint=send_email
/// attempt=2 outcome=retry reason="smtp refused" run_ms=31.204`, or the same as JSON (log_options::format).
///
/// `log{}` writes to standard error and `log{std::clog}` to a stream. `log{sink, options}` calls `sink` with a line
/// (`std::string_view`, without a line feed), or with a `const log_record&` that has the fields. One thread at a time
/// calls the sink, between the steps of a job. If the sink throws, the event is not logged and `failures()` counts it.
///
/// A log never contains payloads, headers, or the detail line of a server error, which may quote a row. It contains the
/// reason of an outcome, which the handler may choose. Reasons and messages are cut to 1000 bytes. Copies share the
/// sink.
template <log_sink Sink = to_stderr>
class log {
public:
    using policy_category = observer_tag;

    log() requires std::default_initializable<Sink> : log{Sink{}} {}
    explicit log(Sink sink, const log_options& options = {})
        : state_{std::make_shared<state>(std::move(sink))}, options_{options} {}

    void on(const event::worker_started& e) noexcept { put(options_.worker_started, e, {{"worker", e.worker.value}}); }
    void on(const event::worker_stopped& e) noexcept { put(options_.worker_stopped, e, {{"worker", e.worker.value}}); }
    void on(const event::jobs_claimed& e) noexcept {
        put(options_.jobs_claimed, e,
            {{"worker", e.worker.value}, {"queue", e.queue}, {"entrypoint", e.entrypoint}, {"count", number(e.count)}});
    }
    void on(const event::job_started& e) noexcept {
        put(options_.job_started, e,
            {{"job", e.id.value}, {"queue", e.queue}, {"entrypoint", e.entrypoint}, {"attempt", e.attempt}});
    }
    void on(const event::job_finished& e) noexcept {
        put(level_of(e.what), e,
            {{"job", e.id.value},
             {"queue", e.queue},
             {"entrypoint", e.entrypoint},
             {"attempt", e.attempt},
             {"outcome", name_of(e.what)},
             {"reason", e.reason},
             {"run_ms", milliseconds(e.run_time)}});
    }
    void on(const event::lease_lost& e) noexcept {
        put(options_.lease_lost, e, {{"lease", e.lease}, {"unfinished", number(e.unfinished)}});
    }
    void on(const event::connection_failed& e) noexcept {
        put_error(options_.connection_failed, e, {"next_try_ms", milliseconds(e.next_try)});
    }
    void on(const event::connection_restored& e) noexcept { put(options_.connection_restored, e, {}); }
    void on(const event::jobs_rescued& e) noexcept {
        put(options_.jobs_rescued, e, {{"workers", e.workers}, {"returned", e.returned}, {"held", e.held}});
    }
    void on(const event::error& e) noexcept { put_error(options_.error, e, {}); }
    void on(const event::try_failed& e) noexcept {
        put(options_.try_failed, e,
            {{"job", e.id.value},
             {"queue", e.queue},
             {"entrypoint", e.entrypoint},
             {"attempt", e.attempt},
             {"try", e.try_number},
             {"reason", e.reason},
             {"pause_ms", milliseconds(e.pause)}});
    }
    void on(const event::handler_exceeded_timeout& e) noexcept {
        put(options_.handler_exceeded_timeout, e,
            {{"job", e.id.value},
             {"queue", e.queue},
             {"entrypoint", e.entrypoint},
             {"attempt", e.attempt},
             {"run_ms", milliseconds(e.run_time)}});
    }
    void on(const event::held_by_rescue& e) noexcept {
        put(options_.held_by_rescue, e, {{"job", e.id.value}, {"reason", e.reason}});
    }
    void on(const event::schedule_fired& e) noexcept {
        put(options_.schedule_fired, e,
            {{"schedule", e.schedule},
             {"scheduled_at", std::string_view{pgq::detail::format_tick(e.scheduled_at)}},
             {"job", e.job.value},
             {"late_ms", milliseconds(e.late)}});
    }
    void on(const event::schedule_skipped& e) noexcept {
        const auto level = options_.schedule_skipped;
        put(e.reason.empty() || level >= log_level::warning ? level : log_level::warning, e,
            {{"schedule", e.schedule},
             {"scheduled_at", std::string_view{pgq::detail::format_tick(e.scheduled_at)}},
             {"reason", e.reason}});
    }
    void on(const event::schedule_missed& e) noexcept {
        put(options_.schedule_missed, e,
            {{"schedule", e.schedule},
             {"from", std::string_view{pgq::detail::format_tick(e.from)}},
             {"to", std::string_view{pgq::detail::format_tick(e.to)}}});
    }
    void on(const event::database_problem_found& e) noexcept {
        put(options_.database_problem_found, e, {{"problem", e.problem}, {"message", e.message}, {"remedy", e.remedy}});
    }
    void on(const event::paused& e) noexcept {
        put(options_.paused, e,
            {{"queue", e.queue}, {"entrypoint", e.entrypoint}, {"kind", name_of(e.kind)}, {"reason", e.reason}});
    }
    void on(const event::resumed& e) noexcept {
        put(options_.resumed, e, {{"queue", e.queue}, {"entrypoint", e.entrypoint}, {"kind", name_of(e.kind)}});
    }
    void on(const event::limit_differs& e) noexcept {
        put(options_.limit_differs, e,
            {{"entrypoint", e.entrypoint}, {"declared", e.declared.amount}, {"stored", e.stored.amount}});
    }

    void on(const event::jobs_enqueued& e) noexcept {
        put(options_.jobs_enqueued, e,
            {{"queue", e.queue},
             {"entrypoint", e.entrypoint},
             {"count", number(e.count)},
             {"committed", e.committed ? std::string_view{} : "no"}});
    }
    void on(const event::jobs_returned& e) noexcept {
        put(options_.jobs_returned, e,
            {{"worker", e.worker.value},
             {"queue", e.queue},
             {"entrypoint", e.entrypoint},
             {"count", number(e.count)},
             {"why", name_of(e.why)}});
    }
    void on(const event::job_cancelled& e) noexcept {
        put(options_.job_cancelled, e,
            {{"job", e.id.value},
             {"queue", e.queue},
             {"entrypoint", e.entrypoint},
             {"attempt", e.attempt},
             {"running", std::string_view{e.running ? "yes" : "no"}}});
    }
    void on(const event::cancel_requested& e) noexcept {
        put(options_.cancel_requested, e, {{"queue", e.queue}, {"removed", e.removed}, {"stopping", e.stopping}});
    }

    /// The number of events for which the sink threw an exception.
    std::uint64_t failures() const noexcept { return state_->failures.load(std::memory_order_relaxed); }

private:
    static constexpr std::size_t longest_text = 1000;

    struct state {
        explicit state(Sink s) : sink{std::move(s)} {}
        std::mutex mutex;  // for the sink
        Sink sink;
        std::atomic<std::uint64_t> failures{0};
    };

    log_level level_of(outcome::kind k) const noexcept {
        switch (k) {
        case outcome::kind::done:
        case outcome::kind::snooze:
        case outcome::kind::release: return options_.job_done;
        case outcome::kind::hold: return options_.job_held;
        default: return options_.job_failed;
        }
    }

    static std::int64_t number(std::size_t n) noexcept { return static_cast<std::int64_t>(n); }
    static double milliseconds(duration d) noexcept { return std::chrono::duration<double, std::milli>(d).count(); }

    template <class Event>
    void put_error(log_level level, const Event& e, log_field more) noexcept {
        const error_info& error = e.error;
        const std::string code = code_of(error.code);
        put(level, e,
            {{"error", std::string_view{code}},
             {"statement", std::string_view{error.statement}},
             {"message", std::string_view{error.message}},
             {"hint", std::string_view{error.hint}},
             more});
    }

    static std::string code_of(std::error_code c) {
        if (!c) return {};
        if (c.category() == sqlstate_category()) return sqlstate_text(c.value());
        return c.category().name() + (":" + std::to_string(c.value()));
    }

    // Omits fields without a key and empty texts.
    template <class Event>
    void put(log_level level, const Event&, std::initializer_list<log_field> all) noexcept {
        if (level < options_.least || level == log_level::off) return;
        log_field fields[8];
        std::size_t count = 0;
        for (log_field f : all) {
            auto* const text = std::get_if<std::string_view>(&f.value);
            if (f.key.empty() || (text != nullptr && text->empty())) continue;
            if (text != nullptr) *text = detail::cut(*text, longest_text);
            fields[count++] = f;
        }
        log_record r{.level = level, .event = Event::name, .fields = {fields, count}};
        if (options_.with_time) r.at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        write(r);
    }

    void write(const log_record& r) noexcept {
        try {
            if constexpr (std::invocable<Sink&, const log_record&>) {
                const std::lock_guard lock{state_->mutex};
                state_->sink(r);
            } else {
                const std::string line = options_.format == log_format::json ? json_line_of(r) : line_of(r);
                const std::lock_guard lock{state_->mutex};
                state_->sink(std::string_view{line});
            }
        } catch (...) { state_->failures.fetch_add(1, std::memory_order_relaxed); }
    }

    std::shared_ptr<state> state_;
    log_options options_;
};

template <std::derived_from<std::ostream> Stream>
log(Stream&) -> log<to_stream>;
template <std::derived_from<std::ostream> Stream>
log(Stream&, log_options) -> log<to_stream>;

static_assert(observer_policy<log<>> && observes_something<log<>>);
static_assert(observes<log<to_stream>, event::connection_restored>);

}  // namespace pgq::observer
