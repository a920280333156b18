#pragma once

#include <pgq/serializer/json/options.hpp>
#include <pgq/serializer/json/value.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::serializer::detail {

/// The tokens of a parsed payload. The memory is reused, so that reading the next payload allocates nothing.
struct json_tape {
    std::vector<json_token> tokens{};
    std::string text{};  ///< the unescaped strings; strings without escapes stay in the payload

    void clear() noexcept {
        constexpr std::size_t kept = 1U << 20U;  // the bytes that a thread may keep between two payloads
        tokens.clear();
        text.clear();
        if (tokens.capacity() * sizeof(json_token) + text.capacity() <= kept) return;
        std::vector<json_token>{}.swap(tokens);  // swap, because assignment would keep the memory
        std::string{}.swap(text);
    }
};

/// Borrows the tape of this thread. If a codec reads another payload during a read, that read gets a tape of its own.
class lent_tape {
public:
    lent_tape() : spare_{&spare()} {
        if (std::exchange(spare_->is_lent, true)) own_ = std::make_unique<json_tape>();
    }
    ~lent_tape() {
        if (own_ != nullptr) return;
        spare_->tape.clear();
        spare_->is_lent = false;
    }
    lent_tape(const lent_tape&) = delete;
    lent_tape& operator=(const lent_tape&) = delete;

    json_tape& operator*() noexcept { return own_ == nullptr ? spare_->tape : *own_; }

private:
    struct of_thread {
        json_tape tape{};
        bool is_lent = false;
    };
    static of_thread& spare() noexcept {
        thread_local of_thread instance;
        return instance;
    }

    of_thread* spare_;
    std::unique_ptr<json_tape> own_{};
};

/// Records the events of Boost.JSON's parser as tokens. Numbers stay text, because only the text is exact.
class tape_handler {
public:
    static constexpr std::size_t max_object_size = max_json_bytes;
    static constexpr std::size_t max_array_size = max_json_bytes;
    static constexpr std::size_t max_key_size = max_json_bytes;
    static constexpr std::size_t max_string_size = max_json_bytes;

    using error_code = boost::json::error_code;
    using view = boost::json::string_view;

    tape_handler(json_tape& tape, std::string_view body) noexcept : tape_{&tape}, body_{body} {}

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return open(json_kind::object); }
    bool on_object_end(std::size_t n, error_code&) { return close(n); }
    bool on_array_begin(error_code&) { return open(json_kind::array); }
    bool on_array_end(std::size_t n, error_code&) { return close(n); }
    bool on_key_part(view s, std::size_t, error_code&) { return add(s); }
    bool on_key(view s, std::size_t, error_code&) { return finish(s); }
    bool on_string_part(view s, std::size_t, error_code&) { return add(s); }
    bool on_string(view s, std::size_t, error_code&) { return finish(s); }
    bool on_number_part(view, error_code&) { return true; }
    bool on_int64(std::int64_t, view s, error_code&) { return push_number(s); }
    bool on_uint64(std::uint64_t, view s, error_code&) { return push_number(s); }
    bool on_double(double, view s, error_code&) { return push_number(s); }
    bool on_bool(bool b, error_code&) { return push(b ? json_kind::yes : json_kind::no); }
    bool on_null(error_code&) { return push(json_kind::null); }
    bool on_comment_part(view, error_code&) { return true; }
    bool on_comment(view, error_code&) { return true; }

private:
    bool push(json_kind kind, const char* text = nullptr, std::size_t size = 0) {
        tape_->tokens.emplace_back(kind, text, size);
        return true;
    }
    bool push_number(view s) { return push(json_kind::number, s.data(), s.size()); }
    bool finish(view last) {
        if (size_ == 0 && is_in_body(last)) return push(json_kind::string, last.data(), last.size());
        add(last);
        push(json_kind::string, begin_, size_);
        begin_ = nullptr;
        size_ = 0;
        copied_ = false;
        return true;
    }

    // While a container is open, its `size` holds the index of its parent.
    bool open(json_kind kind) {
        const auto at = static_cast<std::uint32_t>(tape_->tokens.size());
        push(kind, nullptr, open_);
        open_ = at;
        return true;
    }
    bool close(std::size_t count) {
        json_token& token = tape_->tokens[open_];
        token.span = static_cast<std::uint32_t>(tape_->tokens.size()) - open_;
        open_ = std::exchange(token.size, static_cast<std::uint32_t>(count));
        return true;
    }

    // The parser reports a string without escapes as one part of the payload. Otherwise the parts are joined in `text`.
    // `text` never reallocates: unescaped strings are shorter than the payload, whose size is reserved.
    bool add(view piece) {
        if (piece.empty()) return true;
        if (size_ == 0 && is_in_body(piece)) {
            begin_ = piece.data();
        } else {
            if (!copied_) copy_first_part();
            tape_->text.append(piece.data(), piece.size());
        }
        size_ += piece.size();
        return true;
    }
    void copy_first_part() {
        std::string& text = tape_->text;
        if (text.capacity() < body_.size()) text.reserve(body_.size());
        const char* const from = begin_;
        begin_ = text.data() + text.size();
        if (size_ != 0) text.append(from, size_);
        copied_ = true;
    }
    bool is_in_body(view s) const noexcept {
        const std::less<> before;
        return !before(s.data(), body_.data()) && before(s.data(), body_.data() + body_.size());
    }

    json_tape* tape_;
    std::string_view body_;
    const char* begin_ = nullptr;
    std::size_t size_ = 0;
    std::uint32_t open_ = 0;
    bool copied_ = false;
};

inline bool parse_failed(json_problem& problem, const boost::json::error_code& why, std::size_t offset) {
    if (why == boost::json::error::too_deep) {
        problem.fail("nested too deeply", errc::too_deep);
    } else {
        const std::string what = why ? why.message() : "extra bytes after the value";
        problem.fail("not JSON at byte " + std::to_string(offset) + ": " + what, errc::invalid_payload);
    }
    return false;
}

/// Parses `body` into `tape`. If that fails, `reading.problem` has the reason.
inline bool parse_json(std::string_view body, json_tape& tape, json_reading& reading) {
    if (body.size() > reading.options.max_bytes) {
        reading.problem.fail("the payload is larger than max_bytes", errc::payload_too_large);
        return false;
    }
    boost::json::parse_options options;
    options.max_depth = reading.options.max_depth;
    boost::json::basic_parser<tape_handler> parser{options, tape, body};
    boost::json::error_code why;
    const std::size_t parsed = parser.write_some(false, body.data(), body.size(), why);
    if (why || parsed != body.size()) return parse_failed(reading.problem, why, parsed);
    return true;
}

}  // namespace pgq::serializer::detail
