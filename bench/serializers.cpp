// How long does a serializer take to write and to read a payload, and how large is the payload? The program measures
// two jobs: one of 320 bytes as JSON, and one ten times as long.
//
//     serializers [ROUNDS]

#include <pgq/job/members.hpp>
#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/msgpack.hpp>
#include <pgq/serializer/nlohmann.hpp>
#include <pgq/serializer/raw.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct item {
    std::int64_t id = 0;
    std::string name{};
    double price = 0;
    bool in_stock = false;
};
struct order {
    static constexpr std::string_view entrypoint = "order";
    std::int64_t number = 0;
    std::string customer{};
    std::string mail{};
    std::optional<std::string> note{};
    std::vector<item> items{};
};
struct bytes {
    [[maybe_unused]] static constexpr std::string_view entrypoint = "bytes";
    std::string content{};
};

pgq::serializer::key_ring ring;

}  // namespace

BOOST_HANA_ADAPT_STRUCT(item, id, name, price, in_stock);
BOOST_HANA_ADAPT_STRUCT(order, number, customer, mail, note, items);
BOOST_HANA_ADAPT_STRUCT(bytes, content);

namespace {

using namespace pgq::serializer;
using keys = keys_of<ring>;

order make_order(int items) {
    constexpr const char* names[] = {"kettle", "lantern", "pocket watch", "ink", "slide rule"};
    order o{.number = 20260114,
            .customer = "Ada Lovelace",
            .mail = "ada@example.org",
            .note = "leave it with Grace at the blue door, please"};
    for (int i = 0; i < items; ++i)
        o.items.push_back(
            {.id = 7919LL * (i + 13), .name = names[i % 5], .price = 0.95 + 7.5 * i, .in_stock = i % 3 != 0});
    return o;
}

/// Nanoseconds per call, in the fastest of nine rounds.
template <class Call>
double best_of(int rounds, Call call) {
    double best = 1e18;
    for (int round = 0; round < 9; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < rounds; ++i) call();
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count() / rounds);
    }
    return best;
}

template <class Serializer, class Job>
void measure(const char* name, const Job& job, int rounds) {
    const Serializer serializer{};
    std::string body;
    Job read;
    const double write_ns = best_of(rounds, [&] {
        body.clear();
        serializer.write(job, body).value();
    });
    const double read_ns = best_of(rounds, [&] { serializer.read(body, read).value(); });
    std::printf("%-32s %7zu %8.0f %8.0f\n", name, body.size(), write_ns, read_ns);
}

void table(int items, int rounds) {
    const order o = make_order(items);
    bytes b;
    json{}.write(o, b.content).value();
    std::printf("%-32s %7s %8s %8s\n", "", "bytes", "write/ns", "read/ns");
    measure<raw>("raw (the JSON as one string)", b, rounds);
    measure<json>("json", o, rounds);
    measure<pgq::serializer::nlohmann>("nlohmann", o, rounds);
    measure<msgpack>("msgpack", o, rounds);
    measure<compressed<json>>("compressed<json>", o, rounds);
    measure<encrypted<json, keys>>("encrypted<json>", o, rounds);
    measure<encrypted<compressed<json>, keys>>("encrypted<compressed<json>>", o, rounds);
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5000;
    ring.use(secret_key::random("2026-01"));
    table(3, rounds);
    table(52, rounds / 10 + 1);
}
