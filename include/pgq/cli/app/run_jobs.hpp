#pragma once

#include <pgq/cli/app/parts.hpp>
#include <pgq/cli/output/exit_code.hpp>
#include <pgq/cli/program.hpp>
#include <pgq/cli/tree/option_kinds.hpp>

#include <pgq/context/resources.hpp>
#include <pgq/error/result.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/health/worker_health.hpp>
#include <pgq/run.hpp>
#include <pgq/time/duration_words.hpp>
#include <pgq/worker.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace pgq::cli {

/// A worker whose errors speak to an operator.
template <class Worker>
class explained {
public:
    explicit explained(Worker& w) noexcept : worker_{&w} {}
    result<void> run(std::stop_token stop) {
        auto how = worker_->run(std::move(stop));
        if (!how) return explain(std::move(how.error()));
        return how;
    }
    worker_health health() const noexcept { return worker_->health(); }

private:
    Worker* worker_;
};

}  // namespace pgq::cli

namespace pgq::cli::command {

/// The worker. It ends with the exit codes of pgq::run.
template <class Queue, class... Handlers>
class run_jobs {
    using parts = app_parts<Queue, Handlers...>;
    static constexpr bool has_threads = std::same_as<typename Queue::executor_type, executor::thread_pool>;

public:
    static constexpr const char* name = "run";
    static constexpr const char* what = "Run jobs until SIGTERM or Ctrl-C";

    explicit run_jobs(parts& p) : parts_{&p} {}

    void declare(CLI::App& a) {
        const app<Queue>& about = parts_->about;
        grace_ = about.worker.grace;
        health_port_ = about.run.health_port;
        a.add_option("--queue", queue_, "Jobs of this queue (" + about.queue.name + ")")->type_name("NAME");
        if constexpr (has_threads)
            a.add_option("--threads", threads_,
                         "How many jobs run at once (" + std::to_string(about.executor.width()) + ")")
                ->type_name("N")
                ->check(CLI::Range(1, 10'000))
                ->transform(decimal());
        add_duration(a, "--grace", grace_,
                     "How long handlers may run on after SIGTERM (" + pgq::detail::duration_in_words(grace_) + ")");
        add_choice(a, "--until", until_, {"stopped", "empty", "drained"},
                   "When to end without a signal: never, when no job is ready, or when none is left (stopped)");
        a.add_option("--health-port", health_port_, "Answer GET /healthz and /readyz there")
            ->type_name("PORT")
            ->check(CLI::Range(1, 65'535))
            ->transform(decimal());
    }

    exit_code run(program& p) {
        app<Queue>& about = parts_->about;
        if constexpr (has_threads)
            if (threads_ != 0) about.executor = executor::thread_pool{threads_};
        Queue jobs = parts_->take_queue(p.connection(), queue_);
        resources shared = about.worker.shared != nullptr ? *about.worker.shared : resources{};
        shared.add(jobs);
        worker_options options = about.worker;
        options.shared = &shared;
        options.grace = grace_;
        if (!until_.empty()) options.until = until();
        run_options supervised = std::move(about.run);
        supervised.health_port = health_port_;
        if (!supervised.log) supervised.log = [](std::string_view line) { complain(line); };
        auto works = std::apply(
            [&](auto&... h) {
                return worker<Queue, Handlers...>{jobs, options, std::move(h)...};
            },
            parts_->handlers);
        return static_cast<exit_code>(pgq::run(supervised, explained{works}).exit_code());
    }

private:
    run_until until() const noexcept {
        return until_ == "empty" ? run_until::empty : until_ == "drained" ? run_until::drained : run_until::stopped;
    }

    parts* parts_;
    std::string queue_{};
    std::size_t threads_ = 0;
    duration grace_{};
    std::string until_{};
    std::uint16_t health_port_ = 0;
};

}  // namespace pgq::cli::command
