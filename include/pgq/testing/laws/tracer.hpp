#pragma once

#include <pgq/concept/tracer.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/testing/catch.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/operation.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pgq::laws {

namespace detail {

/// The context of a span, without its state: that is a view.
template <class Span>
std::optional<trace::context> context_of(const Span& span) {
    const trace::context* const c = span.context();
    if (c == nullptr) return std::nullopt;
    auto copy = *c;
    copy.state = {};
    return copy;
}

/// One attempt, from the begin to the end. Returns its context.
template <class T>
std::optional<trace::context> trace_attempt(T& tracer, const trace::process_begin& b, outcome::kind what) {
    auto span = tracer.start_process(b);
    { [[maybe_unused]] const auto first_try = span.activate(); }
    [[maybe_unused]] const auto second_try = span.activate();
    const auto context = context_of(span);
    std::string reason = "why";
    span.end(trace::process_end{.what = what, .reason = reason});
    return context;
}

}  // namespace detail

/// Checks a tracer. `make()` returns a new one; if it makes no spans, their `context()` is null. Call it once in a
/// Catch2 TEST_CASE.
template <tracer T, class Make>
void check_tracer(Make make) {
    T tracer = make();
    const auto given = *trace::parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    const trace::processed_job job{.id = {1}, .attempt = 1, .created_in = given};

    SECTION("the context of a call that enqueues is valid, and another one each time") {
        auto one = tracer.start_send(trace::send_begin{.queue = "default", .entrypoint = "mail"});
        auto two = tracer.start_send(trace::send_begin{.queue = "default", .entrypoint = "mail"});
        const auto first = detail::context_of(one), second = detail::context_of(two);
        CHECK(first.has_value() == second.has_value());
        if (first) CHECK((first->is_valid() && second->is_valid() && first->span != second->span));
        one.end(trace::send_end{.count = 1, .only = {1}});
        two.end(trace::send_end{.count = 3});
    }
    SECTION("a call of several types, and one that fails, end") {
        const error_info error{errc::invalid_option, "wrong"};
        auto several = tracer.start_send(trace::send_begin{.what = trace::send_kind::create});
        several.end(trace::send_end{.error = &error});
    }
    SECTION("jobs that keep a context of the caller get no other one") {
        auto span = tracer.start_send(trace::send_begin{.entrypoint = "mail", .given = &given, .carried = false});
        CHECK(span.context() == nullptr);
        span.end(trace::send_end{.count = 1});
    }
    SECTION("a call in a context of the caller is in its trace") {
        auto span = tracer.start_send(trace::send_begin{.entrypoint = "mail", .given = &given});
        if (const auto mine = detail::context_of(span)) CHECK((mine->trace == given.trace && mine->span != given.span));
        span.end(trace::send_end{.count = 1});
    }
    SECTION("a span may move before the handler is called") {
        auto span = tracer.start_process(trace::process_begin{.entrypoint = "mail", .jobs = {&job, 1}});
        const auto before = detail::context_of(span);
        auto moved = std::move(span);
        CHECK(detail::context_of(moved) == before);
        if (before) CHECK(before->is_valid());
        moved.end(trace::process_end{});
    }
    SECTION("attempts end with every outcome, single ones and batches") {
        const std::array jobs{job, trace::processed_job{.id = {2}, .attempt = 3}};
        for (std::size_t k = 0; k < outcome::kinds; ++k) {
            const auto what = static_cast<outcome::kind>(k);
            const auto single = detail::trace_attempt(
                tracer, {.queue = "default", .entrypoint = "mail", .jobs = {jobs.data(), 1}}, what);
            const auto batch =
                detail::trace_attempt(tracer, {.entrypoint = "mail", .jobs = jobs, .in_batch = true}, what);
            if (single && batch) CHECK(single->span != batch->span);
        }
    }
    SECTION("any number of threads use it at the same time") {
        std::atomic<int> traced{0};
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 100; ++i) {
                    (void)detail::trace_attempt(tracer, {.entrypoint = "mail", .jobs = {&job, 1}}, outcome::kind::done);
                    ++traced;
                }
            });
        threads.clear();
        CHECK(traced == 400);
    }
}

}  // namespace pgq::laws
