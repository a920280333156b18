#pragma once

#include <pgq/cli/bench/drain.hpp>
#include <pgq/cli/bench/enqueue.hpp>
#include <pgq/cli/bench/interruption.hpp>
#include <pgq/cli/bench/latency.hpp>
#include <pgq/cli/bench/measurement.hpp>
#include <pgq/cli/bench/own_schema.hpp>
#include <pgq/cli/bench/server_facts.hpp>
#include <pgq/cli/bench/settings.hpp>
#include <pgq/cli/command/part/checks.hpp>
#include <pgq/cli/output/table.hpp>
#include <pgq/cli/output/terminal.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/error/result.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <unistd.h>

#include <array>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

namespace pgq::cli::command {

/// Measures in a schema of its own, which it deletes. It is not in add_commands(), because it needs much time of a
/// compiler.
struct bench {
    static constexpr const char* name = "bench";
    static constexpr const char* what = "Measure how fast pgq is here, in a schema of its own that it deletes";

    void declare(CLI::App& a) {
        a.add_option("--seconds", how.seconds, "Time of each of the 4 measurements (5)")
            ->type_name("SECONDS")
            ->check(CLI::Range(0.1, 3600.0));
        a.add_option("--jobs", how.jobs, "A measurement ends earlier with so many jobs (100000)")
            ->type_name("N")
            ->check(CLI::Range(1, 10'000'000))
            ->transform(decimal());
        a.add_option("--batch", how.batch, "Jobs of one insert, and of one claim (1000)")
            ->type_name("N")
            ->check(CLI::Range(1, 10'000))
            ->transform(decimal());
        a.add_option("--bytes", how.bytes, "Size of a payload (100)")
            ->type_name("N")
            ->check(CLI::Range(static_cast<int>(cli::bench::probe_maker::fewest_bytes), 1'000'000))
            ->transform(decimal());
        a.add_option("--workers", how.workers, "Workers that drain, with a connection each (1)")
            ->type_name("N")
            ->check(CLI::Range(1, 64))
            ->transform(decimal());
        a.add_option("--threads", how.threads, "Threads of each worker (1)")
            ->type_name("N")
            ->check(CLI::Range(1, 256))
            ->transform(decimal());
    }

    exit_code run(program& p) {
        if (const auto wrong = check_options(p); wrong != exit_code::done) return wrong;
        const auto server = cli::bench::read_server(p.plain());
        if (const auto unfit = check_server(p, server); unfit != exit_code::done) return unfit;
        if (const auto no = confirm(p); no != exit_code::done) return no;
        return measure_all(p, server);
    }

    exit_code check_options(program& p) const {
        if (how.batch > how.jobs)
            return p.fail(exit_code::wrong_use, "--batch is larger than --jobs",
                          "a measurement needs one batch at least");
        constexpr std::int64_t most_bytes_of_batch = 64'000'000;
        if (how.batch * static_cast<std::int64_t>(how.bytes) > most_bytes_of_batch)
            return p.fail(exit_code::wrong_use, "a batch would have more than 64 MB",
                          "give a smaller --batch or --bytes");
        return exit_code::done;
    }
    static exit_code check_server(program& p, const cli::bench::server_facts& server) {
        if (server.is_read_only)
            return p.fail(exit_code::refused, "the server is a standby, or read-only for this role",
                          "name the primary server with --dsn");
        if (!server.may_create_schema)
            return p.fail(exit_code::refused, "permission denied to create a schema in the database " + server.database,
                          "GRANT CREATE ON DATABASE " + server.database + " TO " + server.role);
        return exit_code::done;
    }
    /// It deletes nothing of the user's, but others feel the load.
    exit_code confirm(program& p) const {
        constexpr int measurements = 4;
        const auto seconds = static_cast<std::int64_t>(std::ceil(how.seconds * measurements));
        const std::string text = "bench loads the server for about " + counted(seconds, "second") +
                                 ", and stores up to " + std::to_string(how.most_megabytes()) + " MB";
        if (!p.options().yes && !has_somebody_to_ask())
            return p.fail(exit_code::not_confirmed, text + "; there is no terminal to ask on", "--yes answers yes");
        return p.is_confirmed(text + ". Begin?") ? exit_code::done : exit_code::not_confirmed;
    }

    struct row {
        const char* title;
        cli::bench::measurement found;
    };

    exit_code measure_all(program& p, const cli::bench::server_facts& server) const {
        cli::bench::interruption signals;
        std::vector<row> rows;
        bool removed = false;
        {
            cli::bench::own_schema schema{p.driver().options(), p.options().verbose};
            try {
                schema.install();
                rows = measure_in(schema.driver(), server, signals.token());
            } catch (const std::system_error& e) {  // no more threads
                clear_progress();
                (void)schema.remove();
                throw failure{error_info{e.code(), e.what()}};
            } catch (const std::exception&) {
                clear_progress();
                (void)schema.remove();
                throw;
            }
            clear_progress();
            removed = schema.remove();
        }
        signals.end();
        if (signals.signal() != 0) return end_by(p, signals.signal());
        if (server.fsync == "off")
            complain("fsync is off, so the server waits for no disk and loses data in a crash; measure with fsync on");
        show(p, server, rows);
        return removed ? exit_code::done : exit_code::refused;
    }
    /// The caller of the process sees which signal it was.
    static exit_code end_by(program& p, int signal) {
        (void)p.fail(exit_code::refused, "interrupted", "start it again, for less time with --seconds");
        (void)std::raise(signal);
        return exit_code::refused;
    }

    std::vector<row> measure_in(const driver::libpq& where, const cli::bench::server_facts& server,
                                const std::stop_token& stop) const {
        cli::bench::probe_queue queue{where, {.name = "load"}};
        std::vector<row> rows;
        const auto add = [&](const char* title, const std::function<cli::bench::measurement()>& measure) {
            if (stop.stop_requested()) return;
            show_progress(title, rows.size() + 1);
            rows.push_back({title, measure()});
        };
        add("enqueue one by one", [&] { return cli::bench::enqueue_one_by_one(queue, how, stop); });
        add("enqueue in batches", [&] { return cli::bench::enqueue_in_batches(queue, how, stop); });
        add("drain", [&] { return cli::bench::drain(where, "load", how, stop); });
        add("start of a job", [&] { return cli::bench::latency(where, "latency", how, server.round_trip, stop); });
        return rows;
    }

    static void show_progress(const char* title, std::size_t number) {
        if (::isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "\r\x1b[K%zu of 4: %s ...", number, title);
    }
    static void clear_progress() {
        if (::isatty(STDERR_FILENO) == 1) std::fputs("\r\x1b[K", stderr);
    }

    /// People get one line about the server, programs get columns.
    void show(program& p, const cli::bench::server_facts& server, const std::vector<row>& rows) const {
        std::vector<column> columns{{"what"},
                                    {"jobs", kind::number},
                                    {"per_s", kind::number},
                                    {"p50_ms", kind::number},
                                    {"p99_ms", kind::number}};
        std::vector<cell> facts;
        if (p.writes_for_people()) write_out(facts_text(server) + "\n\n");
        else {
            columns.insert(columns.end(), {{"bytes", kind::number},
                                           {"batch", kind::number},
                                           {"workers", kind::number},
                                           {"threads", kind::number},
                                           {"server_version"},
                                           {"synchronous_commit"},
                                           {"fsync"},
                                           {"round_trip_ms", kind::number}});
            facts = {static_cast<std::int64_t>(how.bytes),
                     how.batch,
                     how.workers,
                     static_cast<std::int64_t>(how.threads),
                     server.version,
                     server.synchronous_commit,
                     server.fsync,
                     server.round_trip_ms()};
        }
        table t{columns};
        for (const row& r : rows) {
            const auto& m = r.found;
            std::vector<cell> cells{std::string{r.title}, m.jobs, rounded(m.per_second()),
                                    cell_of(m.each.milliseconds(0.5)), cell_of(m.each.milliseconds(0.99))};
            cells.insert(cells.end(), facts.begin(), facts.end());
            t.add(std::move(cells));
        }
        p.show(t);
    }
    /// No digits behind the point where there are many in front of it.
    static cell rounded(std::optional<double> rate) {
        constexpr double large = 100;
        if (rate && *rate >= large) rate = std::round(*rate);
        return cell_of(rate);
    }
    std::string facts_text(const cli::bench::server_facts& server) const {
        return "PostgreSQL " + safe(server.version) + ", synchronous_commit " + safe(server.synchronous_commit) +
               ", fsync " + safe(server.fsync) + ", round trip " + text_of(server.round_trip_ms()) +
               " ms; payloads of " + std::to_string(how.bytes) + " bytes, batches of " + std::to_string(how.batch) +
               ", " + counted(how.workers, "worker") + " of " +
               counted(static_cast<std::int64_t>(how.threads), "thread");
    }

    cli::bench::settings how{};
};

}  // namespace pgq::cli::command
