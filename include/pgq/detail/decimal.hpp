#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgq::detail {

/// A decimal number, read from text and compared exactly: "0.10" equals "1e-1", and integers keep every digit.
class decimal {
public:
    /// The longest text that `parse` reads as a number, in bytes.
    static constexpr std::size_t max_length = 100;

    /// Reads an optional sign, digits with at most one point, and an optional exponent of up to three digits.
    /// Returns nullopt for any other text; spaces are not skipped.
    static std::optional<decimal> parse(std::string_view text) {
        if (text.size() > max_length) return std::nullopt;
        decimal d;
        std::size_t at = 0;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) d.negative_ = text[at++] == '-';
        const std::size_t whole = d.read_digits(text, at);
        d.point_ = static_cast<std::int64_t>(whole);
        std::size_t fraction = 0;
        if (at < text.size() && text[at] == '.') fraction = d.read_digits(text, ++at);
        if (whole + fraction == 0 || !d.read_exponent(text, at) || at != text.size()) return std::nullopt;
        d.normalize();
        return d;
    }

    friend std::strong_ordering operator<=>(const decimal& a, const decimal& b) {
        if (a.negative_ != b.negative_) return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
        return a.negative_ ? b.compare_size(a) : a.compare_size(b);
    }
    friend bool operator==(const decimal&, const decimal&) = default;

private:
    static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

    std::size_t read_digits(std::string_view text, std::size_t& at) {
        const std::size_t begin = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        digits_ += text.substr(begin, at - begin);
        return at - begin;
    }
    bool read_exponent(std::string_view text, std::size_t& at) {
        if (at == text.size() || (text[at] != 'e' && text[at] != 'E')) return true;
        ++at;
        bool down = false;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) down = text[at++] == '-';
        const std::size_t begin = at;
        std::int64_t exponent = 0;
        for (; at < text.size() && is_digit(text[at]); ++at) exponent = exponent * 10 + (text[at] - '0');
        point_ += down ? -exponent : exponent;
        return at - begin >= 1 && at - begin <= 3;
    }
    void normalize() {
        const std::size_t zeros = std::min(digits_.find_first_not_of('0'), digits_.size());
        digits_.erase(0, zeros);
        point_ -= static_cast<std::int64_t>(zeros);
        digits_.erase(digits_.find_last_not_of('0') + 1);
        if (digits_.empty()) point_ = 0, negative_ = false;
    }
    std::strong_ordering compare_size(const decimal& b) const {
        if (digits_.empty() || b.digits_.empty()) return digits_.size() <=> b.digits_.size();
        if (point_ != b.point_) return point_ <=> b.point_;
        return digits_.compare(b.digits_) <=> 0;
    }

    bool negative_ = false;
    std::string digits_{};    // without leading and trailing zeros; empty for the number zero
    std::int64_t point_ = 0;  // the point stands after this many digits; may be negative or past the last digit
};

}  // namespace pgq::detail
