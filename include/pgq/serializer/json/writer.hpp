#pragma once

#include <pgq/detail/json_text.hpp>
#include <pgq/fwd.hpp>
#include <pgq/serializer/json/base64.hpp>
#include <pgq/serializer/json/options.hpp>
#include <pgq/serializer/json/problem.hpp>
#include <pgq/serializer/json/secret_values.hpp>

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pgq::serializer {

/// Appends JSON to a string, including the commas. After a failure, it keeps the first reason, and the output must be
/// discarded.
class json_writer {
public:
    json_writer(std::string& out, const json_options& options, secret_values secrets = secret_values::conceal) noexcept
        : out_{&out}, options_{options}, secrets_{secrets} {}

    void null() { put("null"); }
    void boolean(bool b) { put(b ? "true" : "false"); }

    template <std::integral I>
    void integer(I i) {
        separate();
        append_chars(i);
    }
    /// JSON has no infinite numbers and no NaN. They become the strings "Infinity", "-Infinity" and "NaN".
    template <std::floating_point F>
    void number(F f) {
        if (std::isnan(f)) return put("\"NaN\"");
        if (std::isinf(f)) return put(f > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        separate();
        append_chars(f);
    }
    void string(std::string_view text) {
        separate();
        if (!pgq::detail::json_text::append_quoted(*out_, text)) fail("the text is not UTF-8", errc::invalid_text);
    }
    /// Writes base 64 text.
    void bytes(std::span<const std::byte> bytes) {
        put("\"");
        detail::append_base64(*out_, bytes);
        out_->push_back('"');
    }

    /// Returns false if this would exceed `max_depth`. Then write nothing into it and do not end it.
    bool begin_array() { return begin('['); }
    void end_array() { end(']'); }
    bool begin_object() { return begin('{'); }
    void end_object() { end('}'); }
    /// Writes the name of the next value.
    void key(std::string_view name) {
        string(name);
        out_->push_back(':');
        comma_ = false;
    }

    /// The same for a name that already includes its quotes and colon.
    void key_as_is(std::string_view quoted) {
        put(quoted);
        comma_ = false;
    }

    /// The output is encrypted afterwards, so it may contain `sensitive` values.
    bool reveals() const noexcept { return secrets_ == secret_values::reveal; }
    /// A codec of a sensitive value writes `secret_mask`.
    bool masks() const noexcept { return secrets_ == secret_values::mask; }

    bool failed() const noexcept { return problem_.failed(); }
    /// Removes the details of a failure, because they may contain a sensitive value.
    void redact() { problem_.redact(); }
    void fail(std::string what, errc code = errc::invalid_payload) { problem_.fail(std::move(what), code); }
    /// Call it after writing an element or a member. If that failed, records the place and returns false.
    bool wrote_element(std::size_t index) {
        if (!failed()) return true;
        problem_.in_element(index);
        return false;
    }
    bool wrote_member(std::string_view name) {
        if (!failed()) return true;
        problem_.in_member(name);
        return false;
    }
    const json_problem& problem() const noexcept { return problem_; }

private:
    void separate() {
        if (comma_) out_->push_back(',');
        comma_ = true;
    }
    void put(std::string_view text) {
        separate();
        *out_ += text;
    }
    template <class Number>
    void append_chars(Number n) {
        char text[32];  // 20 digits and a sign, or 17 digits, sign, point and exponent
        const auto end = std::to_chars(text, text + sizeof text, n).ptr;
        out_->append(text, static_cast<std::size_t>(end - text));
    }
    bool begin(char bracket) {
        if (depth_ == options_.max_depth) return fail("nested too deeply", errc::too_deep), false;
        ++depth_;
        separate();
        out_->push_back(bracket);
        comma_ = false;
        return true;
    }
    void end(char bracket) {
        --depth_;
        out_->push_back(bracket);
        comma_ = true;
    }

    std::string* out_;
    json_options options_;
    json_problem problem_{};
    std::size_t depth_ = 0;
    bool comma_ = false;
    secret_values secrets_ = secret_values::conceal;
};

}  // namespace pgq::serializer
