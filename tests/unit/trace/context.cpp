#include <pgq/trace/context.hpp>
#include <pgq/trace/id.hpp>
#include <pgq/trace/random_id.hpp>

#include "support/catch.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace unit_trace_context {

using namespace pgq::trace;
using namespace std::string_view_literals;

namespace {

constexpr auto example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"sv;

// All of it works at compile time.
static_assert(parse_traceparent(example).has_value());
static_assert(traceparent{*parse_traceparent(example)}.text() == example);
static_assert(parse_traceparent(example)->sampled);
static_assert(!trace_id::parse("0af7651916cd43dd8448eb211c80319"));
static_assert(!span_id{}.is_set());

// Nothing of it can own memory.
static_assert(std::is_trivially_copyable_v<context> && std::is_trivially_copyable_v<traceparent>);

std::string with(std::size_t at, std::string_view text) { return std::string{example}.replace(at, text.size(), text); }

}  // namespace

TEST_CASE("a traceparent is read and written without a change", "[trace][w3c]") {
    const auto read = parse_traceparent(example);
    REQUIRE(read);
    CHECK(read->is_valid());
    CHECK(read->trace.bytes[0] == 0x0a);
    CHECK(read->trace.bytes[15] == 0x9c);
    CHECK(read->span.bytes[0] == 0xb7);
    CHECK(std::string{traceparent{*read}.text()} == example);
}

TEST_CASE("a traceparent that the recommendation forbids is refused", "[trace][w3c]") {
    const std::vector<std::string> refused{
        "",
        std::string{example.substr(0, 54)},
        std::string{example} + "-",
        std::string{example} + "-01",
        std::string{example} + " ",
        with(0, "ff"),  // no such version
        with(0, "0G"),
        with(0, "0A"),  // upper case
        with(2, "_"),
        with(35, "_"),
        with(52, "_"),
        with(3, "0AF7651916CD43DD8448EB211C80319C"),  // upper case
        with(3, "00000000000000000000000000000000"),
        with(3, "g"),
        with(3, " "),
        with(36, "0000000000000000"),
        with(36, "B7AD6B7169203331"),
        with(53, "0g"),
        with(53, "0A"),
        with(53, " 1"),
        with(53, "+1"),
        std::string(55, '0'),
        std::string(55, '-'),
    };
    for (const auto& text : refused) {
        CAPTURE(text);
        CHECK_FALSE(parse_traceparent(text));
    }
}

TEST_CASE("a traceparent has nothing but lower-case digits and dashes", "[trace][w3c]") {
    std::vector<std::string> wrong;
    for (std::size_t at = 0; at < example.size(); ++at)
        for (int c = 1; c < 256; ++c) {
            const std::string text = with(at, std::string(1, static_cast<char>(c)));
            const bool dash = at == 2 || at == 35 || at == 52;
            const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
            if (parse_traceparent(text).has_value() != (dash ? c == '-' : hex)) wrong.push_back(text);
        }
    CHECK(wrong == std::vector<std::string>{});
}

TEST_CASE("of a later version the first 55 characters count", "[trace][w3c]") {
    for (const auto* const rest : {"", "-", "-what-will-be", "-01"}) {
        const auto read = parse_traceparent(with(0, "cc") + rest);
        REQUIRE(read);
        CHECK(std::string{traceparent{*read}.text()} == example);  // passed on as version 00
    }
    CHECK_FALSE(parse_traceparent(with(0, "cc") + ".what-will-not-be"));
    CHECK_FALSE(parse_traceparent(with(0, "cc").substr(0, 54)));
}

TEST_CASE("of the flags only sampled is kept", "[trace][w3c]") {
    CHECK(parse_traceparent(with(53, "ff"))->sampled);
    CHECK_FALSE(parse_traceparent(with(53, "fe"))->sampled);
    CHECK(traceparent{*parse_traceparent(with(53, "ff"))}.text() == example);
    CHECK(traceparent{*parse_traceparent(with(53, "02"))}.text() == with(53, "00"));
}

TEST_CASE("random ids differ between calls, threads and processes", "[trace]") {
    std::array<std::vector<std::array<char, 16>>, 4> of_thread;
    {
        std::vector<std::jthread> threads;
        for (auto& mine : of_thread)
            threads.emplace_back([&mine] {
                for (int i = 0; i < 1000; ++i) mine.push_back(random_id<span_id>().text());
            });
    }
    std::set<std::array<char, 16>> all;
    for (const auto& mine : of_thread) all.insert(mine.begin(), mine.end());
    CHECK(all.size() == 4000);

    (void)random_id<span_id>();
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto mine = random_id<span_id>().text();
        ::_exit(::write(ends[1], mine.data(), mine.size()) == 16 ? 0 : 1);
    }
    std::array<char, 16> theirs{};
    CHECK(::read(ends[0], theirs.data(), theirs.size()) == 16);
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(random_id<span_id>().text() != theirs);
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace unit_trace_context
