#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/backoff/recipe_text.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace pgq::backoff {

/// Any back-off of this folder as a value that can be written as text: "jittered 0.2 exponential 1s 2 5min". A back-off
/// is stored with a job in this form, in the header `recipe::header_name`.
///
/// The text is a name and its settings, in the order of their declaration. A time is a whole number, 0 or more, with
/// the unit h, min, s, ms, us or ns. After "jittered" and its spread follows the back-off that it shortens.
class recipe {
public:
    using policy_category = backoff_tag;

    static constexpr std::string_view header_name = "pgq-backoff";
    /// The maximum number of nested jitters. `parse` refuses a text with more. `jittered_by` ignores the ones above it.
    static constexpr std::size_t max_jitters = 4;

    recipe() = default;
    recipe(const none& b) noexcept : base_{b} {}
    recipe(const fixed& b) noexcept : base_{b} {}
    recipe(const linear& b) noexcept : base_{b} {}
    recipe(const exponential& b) noexcept : base_{b} {}

    /// The same back-off with a jitter around it, as `jittered` does.
    recipe jittered_by(double spread) const noexcept {
        recipe r = *this;
        if (r.jitters_ < max_jitters) r.spreads_[r.jitters_++] = spread;
        return r;
    }

    duration delay(int attempt) const noexcept {
        duration rest = std::visit([&](const auto& b) { return b.delay(attempt); }, base_);
        for (std::size_t i = 0; i < jitters_; ++i)
            rest = backoff::jittered<fixed>{.inner = {.every = rest}, .spread = spreads_[i]}.delay(attempt);
        return rest;
    }

    /// The text. `parse` makes a back-off with the same delays from it. A setting out of range is written as the value
    /// that it counts as.
    std::string text() const {
        std::string out;
        for (std::size_t i = jitters_; i > 0; --i) {
            out += "jittered";
            detail::append_number(out, std::clamp(spreads_[i - 1], 0.0, 1.0));
            out += ' ';
        }
        std::visit([&](const auto& b) { append(out, b); }, base_);
        return out;
    }

    /// Returns nullopt if `text` is not in the form that `text()` writes.
    static std::optional<recipe> parse(std::string_view text) noexcept {
        detail::recipe_words words{text};
        std::array<double, max_jitters> spreads{};
        std::size_t jitters = 0;
        std::string_view name = words.next();
        for (; name == "jittered"; name = words.next()) {
            if (jitters == max_jitters) return std::nullopt;
            spreads[jitters++] = words.number();
        }
        std::optional<recipe> r = parse_base(name, words);
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

    static std::optional<recipe> parse_base(std::string_view name, detail::recipe_words& words) noexcept {
        if (name == "none") return recipe{none{}};
        if (name == "fixed") return recipe{fixed{.every = words.time()}};
        if (name == "linear") return recipe{parse_linear(words)};
        if (name == "exponential") return recipe{parse_exponential(words)};
        return std::nullopt;
    }
    // One statement for each setting, because they must be read in the order of the words.
    static linear parse_linear(detail::recipe_words& words) noexcept {
        linear b;
        b.first = words.time();
        b.step = words.time();
        b.cap = words.time();
        return b;
    }
    static exponential parse_exponential(detail::recipe_words& words) noexcept {
        exponential b;
        b.first = words.time();
        b.factor = words.number();
        b.cap = words.time();
        return b;
    }

    std::variant<none, fixed, linear, exponential> base_{};
    std::array<double, max_jitters> spreads_{};  // the innermost jitter first
    std::size_t jitters_ = 0;
};

static_assert(backoff_policy<recipe>);

/// Converts a back-off of this folder. Your own back-off can be converted if it has `pgq::backoff::recipe as_recipe()
/// const`.
template <class Backoff>
    requires std::convertible_to<const Backoff&, recipe> recipe recipe_of(const Backoff& b) { return b; }
template <class Backoff>
    requires requires(const Backoff& b) {
        { b.as_recipe() } -> std::same_as<recipe>;
    }
recipe recipe_of(const Backoff& b) { return b.as_recipe(); }
template <class Inner>
auto recipe_of(const jittered<Inner>& b) -> decltype(recipe_of(b.inner)) {
    return recipe_of(b.inner).jittered_by(b.spread);
}

template <class Backoff>
concept has_recipe = requires(const Backoff& b) {
    { recipe_of(b) } -> std::same_as<recipe>;
};

}  // namespace pgq::backoff
