#pragma once

#include <support/bench.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

/// One function per question, in the file of the same name.
namespace bench {

void backlog(context& c);
void drain(context& c);
void drivers(context& c);
void enqueue(context& c);
void features(context& c);
void latency(context& c);
void packs(context& c);
void payloads(context& c);
void peers(context& c);
void pooler(context& c);
void processes(context& c);
void snapshot(context& c);
void delayed_snapshot(context& c);
void sustained(context& c);
void waiting(context& c);

/// Drains the mails 0 ... n-1 with one strict worker. Throws unless each came once.
std::int64_t drain_typed(const std::string& dsn, std::int64_t n, std::uint32_t batch);
/// The same with two workers in this process, each with its own thread and connection.
std::int64_t drain_by_two(const std::string& dsn, std::int64_t n, std::uint32_t batch);

/// Runs the statements of drain_typed by bare libpq and decodes nothing. `of_packs`: the claim takes packs.
std::int64_t drain_bare(const std::string& dsn, std::int64_t n, std::uint32_t batch, bool of_packs);

/// The main function of a worker process that `processes` starts.
int drain_as_child(const std::string& dsn, std::uint32_t batch);

enum class run_when : unsigned char { always, not_quick, named };

struct question {
    std::string_view name{};
    void (*run)(context&) = nullptr;
    run_when when = run_when::always;  ///< not_quick: left out with --quick; named: only if the caller names it
};

// --quick runs the questions whose answers are useful with few jobs.
inline constexpr std::array questions{
    question{"enqueue", enqueue},
    question{"drain", drain},
    question{"packs", packs},
    question{"drivers", drivers},
    question{"latency", latency},
    question{"sustained", sustained},
    question{"backlog", backlog},
    question{"processes", processes, run_when::not_quick},
    question{"snapshot", snapshot, run_when::not_quick},
    question{"delayed_snapshot", delayed_snapshot, run_when::not_quick},
    question{"payloads", payloads, run_when::not_quick},
    question{"features", features, run_when::not_quick},
    question{"waiting", waiting, run_when::not_quick},
    question{"peers", peers, run_when::named},
    question{"pooler", pooler, run_when::named},
};

}  // namespace bench
