#pragma once

#include <pgq/detail/read_float.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/duration_text.hpp>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

// The words of a back-off's text.
namespace pgq::backoff::detail {

/// Appends a time as a word.
inline void append_time(std::string& out, duration d) {
    out += ' ';
    pgq::detail::append_duration(out, d);
}

/// Appends the shortest text that is read as the same number.
inline void append_number(std::string& out, double number) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    (out += ' ').append(text, end);
}

/// Reads word by word. The first that is not as it should be makes all of it fail; nothing in here overflows.
class spec_words {
public:
    explicit spec_words(std::string_view text) noexcept : rest_{text} {}

    std::string_view next() noexcept {
        const auto end = std::min(rest_.find(' '), rest_.size());
        const auto word = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        if (word.empty()) failed_ = true;
        return word;
    }
    duration time() noexcept {
        const auto read = pgq::detail::read_duration(next());
        if (!read) failed_ = true;
        return read.value_or(duration{});
    }
    double number() noexcept {
        const auto word = next();
        double value = 0;
        const auto [end, error] = pgq::detail::read_float(word.data(), word.data() + word.size(), value);
        if (error != std::errc{} || end != word.data() + word.size() || value != value) failed_ = true;
        return value;
    }

    bool failed() const noexcept { return failed_; }
    bool at_end() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace pgq::backoff::detail
