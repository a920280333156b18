#pragma once

#include <pgq/job/id.hpp>
#include <pgq/observer/span_record.hpp>
#include <pgq/trace/context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pgq::observer {

/// A span_record that owns its texts.
struct collected_span {
    std::string name{};
    span_kind kind = span_kind::consumer;
    trace::context context{};  ///< without its state
    std::string state{};
    trace::span_id parent{};
    std::chrono::system_clock::time_point began{};
    std::chrono::nanoseconds duration{};
    std::vector<span_link> links{};  ///< their contexts are without states
    std::vector<std::pair<std::string, std::string>> attributes{};
    bool failed = false;
    std::string message{};

    /// Empty if it has no such attribute. A number is in decimal digits, a bool is "true" or "false".
    std::string_view attribute(std::string_view wanted) const noexcept {
        for (const auto& [key, value] : attributes)
            if (key == wanted) return value;
        return {};
    }
};

/// A sink of observer::tracing that keeps all spans in memory, for tests and small programs. Copies share them. Any
/// thread may call any member.
class span_collector {
public:
    span_collector() : kept_{std::make_shared<kept>()} {}

    void operator()(const span_record& r) {
        collected_span s = copy(r);
        const std::lock_guard lock{kept_->mutex};
        kept_->spans.push_back(std::move(s));
    }
    /// In the order in which they ended.
    std::vector<collected_span> spans() const {
        const std::lock_guard lock{kept_->mutex};
        return kept_->spans;
    }
    void clear() {
        const std::lock_guard lock{kept_->mutex};
        kept_->spans.clear();
    }

private:
    struct kept {
        std::mutex mutex;
        std::vector<collected_span> spans;
    };

    static collected_span copy(const span_record& r) {
        collected_span s{.name = r.name(),
                         .kind = r.kind,
                         .context = without_state(r.context),
                         .state = std::string{r.context.state},
                         .parent = r.parent,
                         .began = r.began,
                         .duration = r.duration,
                         .failed = r.failed,
                         .message = std::string{r.message}};
        for (const span_link& l : r.links) s.links.push_back({.to = without_state(l.to), .job = l.job});
        for (const span_attribute& a : r.attributes) s.attributes.emplace_back(a.name, std::visit(as_text{}, a.value));
        return s;
    }
    static trace::context without_state(trace::context c) noexcept {
        c.state = {};
        return c;
    }
    struct as_text {
        std::string operator()(std::string_view text) const { return std::string{text}; }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(bool yes) const { return yes ? "true" : "false"; }
    };

    std::shared_ptr<kept> kept_;
};

namespace detail {

/// Draws spans below those that they belong to.
class span_tree {
public:
    explicit span_tree(std::vector<collected_span> all) : all_{std::move(all)} {
        std::stable_sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.began < b.began; });
        for (std::size_t i = 0; i < all_.size(); ++i) above_.push_back(find_above(all_[i]));
        for (std::size_t i = 0; i < all_.size(); ++i)
            if (above_[i].at == none) draw(i, "", "");
    }
    std::string text() && noexcept { return std::move(text_); }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    struct place {
        std::size_t at = none;
        bool by_link = false;
    };

    std::size_t find(const trace::trace_id& trace, const trace::span_id& span) const noexcept {
        for (std::size_t i = 0; i < all_.size(); ++i)
            if (all_[i].context.span == span && all_[i].context.trace == trace) return i;
        return none;
    }
    // Its parent; for the root of a trace the first span that it links to.
    place find_above(const collected_span& s) const noexcept {
        if (s.parent.is_set()) return {find(s.context.trace, s.parent), false};
        for (const span_link& l : s.links)
            if (const auto at = find(l.to.trace, l.to.span); at != none) return {at, true};
        return {};
    }

    void draw(std::size_t i, const std::string& before, const std::string& before_parts) {
        const collected_span& s = all_[i];
        text_ += before + s.name + " (" + std::string{name_of(s.kind)};
        const auto put = [&](std::string_view label, std::string_view key) {
            if (const auto value = s.attribute(key); !value.empty()) (text_ += label) += value;
        };
        put(", job ", "messaging.message.id");
        put(", jobs: ", "messaging.batch.message_count");
        put(", attempt ", "messaging.pgq.attempt");
        put(", ", "messaging.pgq.outcome");
        text_ += ')';
        if (s.failed) text_ += " error: " + s.message;
        text_ += '\n';
        std::vector<std::size_t> parts;
        for (std::size_t k = 0; k < all_.size(); ++k)
            if (above_[k].at == i && k != i) parts.push_back(k);
        for (const std::size_t k : parts) {
            const bool last = k == parts.back();
            const std::string branch = std::string{last ? "`" : "|"} + (above_[k].by_link ? ".. " : "-- ");
            draw(k, before_parts + branch, before_parts + (last ? "    " : "|   "));
        }
    }

    std::vector<collected_span> all_;
    std::vector<place> above_{};
    std::string text_{};
};

}  // namespace detail

/// The spans as a tree of text, one line each, in the order in which they began. `--` goes to a child, `..` to a span
/// of another trace that links to the one above it.
inline std::string draw_spans(std::vector<collected_span> spans) { return detail::span_tree{std::move(spans)}.text(); }

}  // namespace pgq::observer
