#pragma once

#include <pgq/detail/json_text.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/job/scheduled_at.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace pgq::observer {

enum class log_level : std::uint8_t {
    debug,
    info,
    warning,  ///< something failed, but the worker or another attempt handles it
    error,    ///< a person should act on it
    off,      ///< as the level of an event: the event is not logged
};

constexpr std::string_view name_of(log_level l) noexcept {
    constexpr std::string_view names[] = {"debug", "info", "warning", "error", "off"};
    return names[static_cast<std::size_t>(l)];
}

/// How a line of the log is written.
enum class log_format : std::uint8_t {
    logfmt,  ///< level=warning event=job_finished job=7 reason="smtp refused"
    json,    ///< {"level":"warning","event":"job_finished","job":7,"reason":"smtp refused"}
};

/// One field of an event.
struct log_field {
    std::string_view key{};
    std::variant<std::int64_t, double, std::string_view> value{};
};

/// An event for a sink. It is valid only during the call.
struct log_record {
    log_level level = log_level::info;
    std::string_view event{};  ///< the name of the event, e.g. "job_finished"
    std::span<const log_field> fields{};
    std::optional<time_point> at{};  ///< by the clock of this machine; only with log_options::with_time
};

namespace detail {

// Cuts a text to at most `most` bytes, between two characters.
inline std::string_view cut(std::string_view text, std::size_t most) noexcept {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
    return text.substr(0, most);
}

inline void append_hex(std::string& out, unsigned char c) {
    constexpr char digits[] = "0123456789abcdef";
    out += {'\\', 'x', digits[c >> 4U], digits[c & 15U]};
}

inline bool is_plain(std::string_view text) noexcept {
    return !text.empty() && pgq::detail::is_valid_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '=' || c == '"' || c == '\\' || c == '\x7f';
    });
}

// Escapes what would end the line or the value, or control the terminal. So no text of a job can imitate a line of the
// log.
inline void append_text(std::string& out, std::string_view text) {
    if (is_plain(text)) {
        out += text;
        return;
    }
    out += '"';
    while (!text.empty()) {
        const auto step = pgq::detail::utf8_front(text);
        const auto c = static_cast<unsigned char>(text.front());
        if (c == '\n') out += "\\n";
        else if (c == '"' || c == '\\') out += {'\\', text.front()};
        else if (c < 0x20 || c == 0x7f) append_hex(out, c);
        else if (step.valid) out += text.substr(0, step.bytes);
        else
            for (const char b : text.substr(0, step.bytes)) append_hex(out, static_cast<unsigned char>(b));
        text.remove_prefix(step.bytes);
    }
    out += '"';
}

// `put_text` appends a text.
template <class PutText>
void append_value(std::string& out, const log_field& f, PutText put_text) {
    if (const auto* n = std::get_if<std::int64_t>(&f.value)) out += std::to_string(*n);
    else if (const auto* t = std::get_if<std::string_view>(&f.value)) put_text(out, *t);
    else {
        char digits[32];
        const int length = std::snprintf(digits, sizeof digits, "%.3f", std::get<double>(f.value));
        out.append(digits, static_cast<std::size_t>(length));
    }
}

// Bytes that are not UTF-8 become question marks or the replacement character: JSON cannot hold them.
inline void append_json(std::string& out, std::string_view text) {
    const std::size_t before = out.size();
    if (pgq::detail::json_text::append_quoted(out, text)) return;
    out.resize(before);
    (void)pgq::detail::json_text::append_quoted(out, pgq::detail::make_storable(text, text.size() * 3));
}

}  // namespace detail

/// The record as a line without a line feed: `level=info event=job_finished job=7 entrypoint=send_email ...`. A value
/// with spaces, quotes or control characters is quoted and escaped.
inline std::string line_of(const log_record& r) {
    std::string line;
    line.reserve(160);
    if (r.at) line.append("time=").append(pgq::detail::format_tick(*r.at)).append(" ");
    line.append("level=").append(name_of(r.level)).append(" event=").append(r.event);
    for (const auto& f : r.fields) {
        line.append(" ").append(f.key).append("=");
        detail::append_value(line, f, detail::append_text);
    }
    return line;
}

/// The record as one JSON object without a line feed: `{"level":"info","event":"job_finished","job":7,...}`.
inline std::string json_line_of(const log_record& r) {
    std::string line;
    line.reserve(200);
    line += '{';
    if (r.at) line.append("\"time\":\"").append(pgq::detail::format_tick(*r.at)).append("\",");
    line.append("\"level\":\"").append(name_of(r.level)).append("\",\"event\":\"").append(r.event).append("\"");
    for (const auto& f : r.fields) {
        line.append(",\"").append(f.key).append("\":");
        detail::append_value(line, f, detail::append_json);
    }
    line += '}';
    return line;
}

}  // namespace pgq::observer
