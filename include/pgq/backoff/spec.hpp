#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/backoff/spec_text.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgq::backoff {

/// Any back-off of this library as a value that has a text: "jittered 0.2 exponential 1s 2 5min". A job stores that
/// text in the header `spec::header_name`.
///
/// A text is a name and its settings in the order in which they are declared. A time is a whole number, 0 or more, with
/// h, min, s, ms, us or ns. The back-off that a jitter shortens follows the jitter.
class spec {
    enum class kind : std::uint8_t { none, fixed, linear, exponential };

    template <class F>
    auto with_base(F f) const {
        switch (kind_) {
        case kind::fixed: return f(fixed_);
        case kind::linear: return f(linear_);
        case kind::exponential: return f(exponential_);
        case kind::none: break;
        }
        return f(none{});
    }

public:
    using policy_category = backoff_tag;

    static constexpr std::string_view header_name = "pgq-backoff";
    /// Jitters around each other. A text with more is not read; of a back-off with more the outer ones are left out.
    static constexpr std::size_t max_jitters = 4;

    spec() = default;
    spec(const none&) noexcept {}
    spec(const fixed& b) noexcept : kind_{kind::fixed}, fixed_{b} {}
    spec(const linear& b) noexcept : kind_{kind::linear}, linear_{b} {}
    spec(const exponential& b) noexcept : kind_{kind::exponential}, exponential_{b} {}

    /// This, shortened as `jittered` does.
    spec jittered_by(double spread) const noexcept {
        spec r = *this;
        if (r.jitters_ < max_jitters) r.spreads_[r.jitters_++] = spread;
        return r;
    }

    duration delay(int attempt) const noexcept {
        duration rest = with_base([&](const auto& b) { return b.delay(attempt); });
        for (std::size_t i = 0; i < jitters_; ++i)
            rest = backoff::jittered<fixed>{.inner = {.every = rest}, .spread = spreads_[i]}.delay(attempt);
        return rest;
    }

    /// `parse` makes a spec with the same answers of it. A setting out of its range is written as the value that it
    /// counts as.
    std::string text() const {
        std::string out;
        for (std::size_t i = jitters_; i > 0; --i) {
            out += "jittered";
            detail::append_number(out, std::clamp(spreads_[i - 1], 0.0, 1.0));
            out += ' ';
        }
        with_base([&](const auto& b) { append(out, b); });
        return out;
    }

    /// Nothing if `text` is not of the form that `text()` writes.
    static std::optional<spec> parse(std::string_view text) noexcept {
        detail::spec_words words{text};
        std::array<double, max_jitters> spreads{};
        std::size_t jitters = 0;
        std::string_view name = words.next();
        for (; name == "jittered"; name = words.next()) {
            if (jitters == max_jitters) return std::nullopt;
            spreads[jitters++] = words.number();
        }
        std::optional<spec> r = parse_base(name, words);
        if (!r || words.failed() || !words.at_end()) return std::nullopt;
        while (jitters > 0) r = r->jittered_by(spreads[--jitters]);
        return r;
    }

private:
    static void append(std::string& out, const none&) { out += "none"; }
    static void append(std::string& out, const fixed& b) {
        out += "fixed";
        detail::append_time(out, b.every);
    }
    static void append(std::string& out, const linear& b) {
        out += "linear";
        for (const duration d : {b.first, b.step, b.cap}) detail::append_time(out, d);
    }
    static void append(std::string& out, const exponential& b) {
        out += "exponential";
        detail::append_time(out, b.first);
        detail::append_number(out, std::max(1.0, b.factor));
        detail::append_time(out, b.cap);
    }

    static std::optional<spec> parse_base(std::string_view name, detail::spec_words& words) noexcept {
        if (name == "none") return spec{none{}};
        if (name == "fixed") return spec{fixed{.every = words.time()}};
        if (name == "linear") return spec{parse_linear(words)};
        if (name == "exponential") return spec{parse_exponential(words)};
        return std::nullopt;
    }
    // One setting after the other: the order of the words.
    static linear parse_linear(detail::spec_words& words) noexcept {
        linear b;
        b.first = words.time();
        b.step = words.time();
        b.cap = words.time();
        return b;
    }
    static exponential parse_exponential(detail::spec_words& words) noexcept {
        exponential b;
        b.first = words.time();
        b.factor = words.number();
        b.cap = words.time();
        return b;
    }

    // No std::variant: GCC warns that a copy of it reads what is not initialized.
    kind kind_ = kind::none;
    fixed fixed_{};
    linear linear_{};
    exponential exponential_{};
    std::array<double, max_jitters> spreads_{};  // the innermost jitter first
    std::size_t jitters_ = 0;
};

static_assert(backoff_policy<spec>);

/// The spec of a back-off of this library. A back-off of yours gives it by `pgq::backoff::spec as_spec() const`.
template <class Backoff>
    requires std::convertible_to<const Backoff&, spec> spec spec_of(const Backoff& b) { return b; }
template <class Backoff>
    requires requires(const Backoff& b) {
        { b.as_spec() } -> std::same_as<spec>;
    }
spec spec_of(const Backoff& b) { return b.as_spec(); }
template <class Inner>
auto spec_of(const jittered<Inner>& b) -> decltype(spec_of(b.inner)) {
    return spec_of(b.inner).jittered_by(b.spread);
}

template <class Backoff>
concept has_spec = requires(const Backoff& b) {
    { spec_of(b) } -> std::same_as<spec>;
};

}  // namespace pgq::backoff
