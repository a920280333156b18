#pragma once

#include "database_thread.hpp"
#include "live.hpp"
#include "terminal.hpp"
#include "wake_pipe.hpp"

#include <pgq/admin.hpp>
#include <pgq/cli/output/exit_code.hpp>
#include <pgq/cli/output/terminal.hpp>
#include <pgq/cli/program.hpp>
#include <pgq/cli/top/perform.hpp>
#include <pgq/cli/top/plain.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pq/session/socket_wait.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

namespace pgq_top {

/// The sub-command `top`.
struct top {
    static constexpr const char* name = "top";
    static constexpr const char* what = "Watch entrypoints, workers, schedules and failures, and act on jobs";

    void declare(CLI::App& a) {
        a.add_option("--queue", queue_, "Only this queue")->type_name("NAME");
        pgq::cli::add_duration(a, "--last", last_, "The time over which rates and percentiles are taken (2min)");
        a.add_option("--interval", seconds_, "Look again every so many seconds (2)")
            ->type_name("SECONDS")
            ->check(pgq::cli::seconds_of_a_pause());
        a.add_option("--count", count_, "End after so many looks")
            ->type_name("N")
            ->check(CLI::Range(1, 1'000'000'000))
            ->transform(pgq::cli::decimal());
        a.add_flag("--once", once_, "Print rows once, as in a pipe");
        a.add_flag("--read-only", read_only_, "Refuse the keys that change something");
    }

    pgq::cli::exit_code run(pgq::cli::program& p) {
        if (last_ <= pgq::duration{} || last_ > pgq::statistics_retention)
            return p.fail(pgq::cli::exit_code::wrong_use, "--last is not between 1min and 48h",
                          "statistics are kept for 48 h");
        const bool is_live = !once_ && p.options().format() == pgq::cli::format::table && pgq::cli::out_is_terminal() &&
                             ::isatty(STDIN_FILENO) == 1;
        return is_live ? show_live(p) : print(p);
    }

private:
    pgq::overview_request request() const { return {.queue = queue_, .last = last_, .failures = 0}; }
    pgq::duration interval() const {
        return std::chrono::duration_cast<pgq::duration>(std::chrono::duration<double>{seconds_});
    }

    pgq::cli::exit_code print(pgq::cli::program& p) const {
        const std::int64_t most = once_ ? 1 : count_;
        for (std::int64_t n = 1;; ++n) {
            p.show(pgq::cli::top::plain_rows(p.ops().overview(request()).value()));
            if (n == most) return pgq::cli::exit_code::done;
            pgq::driver::pq::pause_for(interval());
        }
    }

    pgq::cli::exit_code show_live(pgq::cli::program& p) const {
        const bool utf8 = use_locale();
        // Errors of the start are for the shell, as those of every sub-command.
        const std::string server = server_text(p);
        wake_pipe wake;
        database_thread database{driver(p), limits(p), performing(), wake};
        int signal = 0;
        {
            terminal screen{pgq::cli::may_use_colour(p.options().no_color)};
            if (!screen.is_open()) {
                (void)database.finish(std::chrono::seconds{1});
                return p.fail(pgq::cli::exit_code::wrong_use, "this terminal is of an unknown type",
                              "set TERM, or use --once");
            }
            const ending_signals signals{wake};
            live{screen,
                 database,
                 wake,
                 {.server = server,
                  .read_only = read_only_,
                  .glyphs = {.utf8 = utf8},
                  .interval = interval(),
                  .last = last_},
                 count_}
                .run(signals);
            signal = signals.received();
        }
        // A thread that waits for a server that is away would keep the process.
        const bool ended = database.finish(std::chrono::milliseconds{300});
        if (signal != 0) std::raise(signal);
        if (!ended) std::_Exit(0);
        return pgq::cli::exit_code::done;
    }
    /// Statements on stderr would be written across the screen.
    static pgq::driver::libpq driver(const pgq::cli::program& p) {
        auto o = p.driver().options();
        if (::isatty(STDERR_FILENO) == 1) o.on_statement = {};
        return pgq::driver::libpq{std::move(o)};
    }
    static pgq::admin_options limits(const pgq::cli::program& p) {
        const auto limit = p.options().statement_timeout;
        return {.time_limit = limit == pgq::duration{} ? limit : limit + std::chrono::seconds{5}};
    }
    pgq::cli::top::performing performing() const {
        const char* const user = std::getenv("USER");
        return {.last = last_,
                .queue = queue_,
                .reason = "by " + std::string{user != nullptr && *user != '\0' ? user : "somebody"} + " in pgq top"};
    }
    static std::string server_text(const pgq::cli::program& p) {
        auto session = driver(p).connect(pgq::session_role::client).value();
        session.begin().value();
        const auto rows = session
                              .exec(
                                  "SELECT current_database() || ' on ' || coalesce(host(inet_server_addr()) || ':' || "
                                  "inet_server_port(), 'this host') || ' as ' || current_user",
                                  {})
                              .value();
        session.rollback().value();
        const std::string& schema = p.options().schema;
        return rows[0][0].value_or("") + (schema == "pgq_jobs" ? "" : ", schema " + schema);
    }

    std::string queue_{};
    pgq::duration last_ = std::chrono::minutes{2};
    double seconds_ = 2;
    std::int64_t count_ = 0;
    bool once_ = false;
    bool read_only_ = false;
};

}  // namespace pgq_top
