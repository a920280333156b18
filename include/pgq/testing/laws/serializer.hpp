#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/testing/catch.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// The laws of serializers. To check your own, call `pgq::laws::check_serializer(mine{}, examples)` in a test. The
/// examples must differ from each other, and at least one must differ from `Job{}`.
namespace pgq::laws {

/// What reading a payload without its end may return.
enum class cut_bodies : std::uint8_t {
    fail,     ///< always an error
    may_pass  ///< some of them are valid payloads; the serializer documents that
};

namespace detail {

/// A copy of `text` in an allocation of exactly its size, so that the address sanitizer finds a read beyond its end.
inline std::vector<char> exact_copy(std::string_view text) { return {text.begin(), text.end()}; }
inline std::string_view view(const std::vector<char>& bytes) { return {bytes.data(), bytes.size()}; }

template <class S, class Job>
std::string written(const S& serializer, const Job& job) {
    std::string body;
    const auto wrote = serializer.write(job, body);
    INFO(wrote.error().text());
    REQUIRE(wrote.has_value());
    return body;
}

/// Reads a payload that may be invalid. Either the read fails with a message, or the job can be written.
template <class Job, class S>
bool survives(const S& serializer, std::string_view text) {
    const auto body = exact_copy(text);
    Job job{};
    const auto read = serializer.read(view(body), job);
    if (!read) return !read.error().message.empty() && read.error().code;
    std::string again;
    return serializer.write(job, again).has_value();
}

inline std::string mutated(std::string body, std::mt19937_64& random) {
    for (auto changes = random() % 4 + 1; changes > 0; --changes) {
        const auto at = static_cast<std::ptrdiff_t>(random() % (body.size() + 1));
        const char byte = static_cast<char>(random() & 255U);
        const bool at_end = at == static_cast<std::ptrdiff_t>(body.size());
        switch (at_end ? 0 : random() % 4) {
        case 0: body.insert(body.begin() + at, byte); break;
        case 1: body.erase(body.begin() + at); break;
        case 2: body[static_cast<std::size_t>(at)] = byte; break;
        default: body[static_cast<std::size_t>(at)] ^= static_cast<char>(1U << (random() % 7)); break;
        }
    }
    return body;
}

template <class S, class Job>
void check_threads(const S& serializer, const std::vector<Job>& examples) {
    std::atomic<int> wrong{0};
    const auto work = [&] {
        Job job{};
        std::string body;
        for (int round = 0; round < 200; ++round) {
            const Job& example = examples[static_cast<std::size_t>(round) % examples.size()];
            body.clear();
            if (!serializer.write(example, body) || !serializer.read(body, job) || !(job == example)) ++wrong;
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}

}  // namespace detail

template <class S, class Job>
void check_serializer(S serializer, std::vector<Job> examples, cut_bodies cut = cut_bodies::fail) {
    static_assert(serializer_for<S, Job>);
    REQUIRE_FALSE(examples.empty());

    SECTION("a written job reads back equal") {
        for (const Job& example : examples) {
            const auto body = detail::exact_copy(detail::written(serializer, example));
            Job job{};
            const auto read = serializer.read(detail::view(body), job);
            INFO(read.error().text());
            REQUIRE(read.has_value());
            CHECK(job == example);
        }
    }
    SECTION("write appends to the output") {
        std::string out = "before";
        for (const Job& example : examples) {
            const std::string before = out;
            REQUIRE(serializer.write(example, out).has_value());
            REQUIRE(out.substr(0, before.size()) == before);
            Job job{};
            REQUIRE(serializer.read(std::string_view{out}.substr(before.size()), job).has_value());
            CHECK(job == example);
        }
    }
    SECTION("read replaces all old contents of the job") {
        for (const Job& before : examples) {
            for (const Job& example : examples) {
                Job job = before;
                REQUIRE(serializer.read(detail::written(serializer, example), job).has_value());
                CHECK(job == example);
            }
        }
    }
    SECTION("a job can be read after a failed read") {
        for (const Job& example : examples) {
            const std::string body = detail::written(serializer, example);
            Job job{};
            (void)serializer.read(std::string_view{body}.substr(0, body.size() / 2), job);
            REQUIRE(serializer.read(body, job).has_value());
            CHECK(job == example);
        }
    }
    SECTION("a payload that is cut off at any byte does no harm") {
        for (const Job& example : examples) {
            const std::string body = detail::written(serializer, example);
            for (std::size_t length = 0; length < body.size(); ++length) {
                const std::string part = body.substr(0, length);
                INFO(part);
                REQUIRE(detail::survives<Job>(serializer, part));
                Job job{};
                if (cut == cut_bodies::fail) REQUIRE_FALSE(serializer.read(part, job).has_value());
            }
        }
    }
    SECTION("a payload with wrong bytes does no harm") {
        std::mt19937_64 random{20240229};
        for (const Job& example : examples) {
            const std::string body = detail::written(serializer, example);
            for (int i = 0; i < 2000; ++i) {
                const std::string wrong = detail::mutated(body, random);
                INFO(wrong);
                REQUIRE(detail::survives<Job>(serializer, wrong));
            }
        }
    }
    SECTION("several threads can use it at once") { detail::check_threads(serializer, examples); }
}

}  // namespace pgq::laws
