#pragma once

#include <support/bench.hpp>

#include <pgq/statement/query.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

/// One function a question, each in the file of its name.
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
void processes(context& c);
void snapshot(context& c);
void sustained(context& c);
void waiting(context& c);

/// Empties a lane of mails 0 ... n-1 with one strict worker in place, and sees that each came once.
std::int64_t drain_typed(const std::string& dsn, std::int64_t n, std::uint32_t batch);
/// The same by two workers of this process, each with a thread and a connection.
std::int64_t drain_by_two(const std::string& dsn, std::int64_t n, std::uint32_t batch);

/// The statements of the first with nothing decoded, by bare libpq; `claim` is the query of a claim from one lane.
std::int64_t drain_bare(const std::string& dsn, std::int64_t n, std::uint32_t batch,
                        const pgq::statement::query& claim);

/// One of the processes that `processes` starts.
int drain_as_child(const std::string& dsn, std::uint32_t batch);

enum class asked : unsigned char { always, at_length, by_name };

struct question {
    std::string_view name{};
    void (*ask)(context&) = nullptr;
    asked when = asked::always;  ///< at_length: not with --quick; by_name: only when it is named
};

// With --quick go those that say something with few jobs.
inline constexpr std::array questions{
    question{"enqueue", enqueue},
    question{"drain", drain},
    question{"packs", packs},
    question{"drivers", drivers},
    question{"latency", latency},
    question{"sustained", sustained},
    question{"backlog", backlog},
    question{"processes", processes, asked::at_length},
    question{"snapshot", snapshot, asked::at_length},
    question{"payloads", payloads, asked::at_length},
    question{"features", features, asked::at_length},
    question{"waiting", waiting, asked::at_length},
    question{"peers", peers, asked::by_name},
};

}  // namespace bench
