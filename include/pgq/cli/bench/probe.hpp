#pragma once

#include <pgq/driver/libpq.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace pgq::cli::bench {

/// The job of the measurements.
struct probe {
    static constexpr std::string_view entrypoint = "probe";
    std::int64_t number = 0;
    std::string text{};
};

}  // namespace pgq::cli::bench

BOOST_HANA_ADAPT_STRUCT(pgq::cli::bench::probe, number, text);

namespace pgq::cli::bench {

using probe_queue = queue<probe, driver::libpq, serializer::json, executor::thread_pool>;

/// Makes jobs whose payload has exactly the wanted size.
class probe_maker {
public:
    explicit probe_maker(std::size_t bytes) : bytes_{bytes} {
        // Not one letter again and again: the server compresses a long payload, and would write less than wanted.
        std::minstd_rand random{1};
        std::uniform_int_distribution<std::size_t> letter{0, letters.size() - 1};
        text_.reserve(bytes);
        while (text_.size() < bytes) text_.push_back(letters[letter(random)]);
    }

    probe make(std::int64_t number) const {
        const std::size_t others = empty_payload.size() + std::to_string(number).size();
        return {.number = number, .text = text_.substr(0, bytes_ - std::min(bytes_, others))};
    }

    /// The size of a payload without text, with a number of 7 digits.
    static constexpr std::size_t fewest_bytes = 32;

private:
    static constexpr std::string_view empty_payload = R"({"number":,"text":""})";
    static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    std::size_t bytes_;
    std::string text_{};
};

}  // namespace pgq::cli::bench
