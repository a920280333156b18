#pragma once

#include <pgq/cli/output/cell_text.hpp>
#include <pgq/cli/output/safe_text.hpp>
#include <pgq/cli/output/table.hpp>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// A table in each format. docs/design/command.md says what differs.
namespace pgq::cli {

enum class format : char { table, json, csv, markdown };

/// Columns with two spaces between. `bold`: the header is bold.
inline std::string as_table(const table& t, bool bold) {
    std::vector<std::vector<std::string>> lines(1);
    for (const column& c : t.columns()) lines[0].push_back(c.name);
    for (std::size_t i = 0; i < t.size(); ++i) {
        lines.emplace_back();
        for (const cell& c : t[i]) lines.back().push_back(safe(shown(c)));
    }
    std::vector<std::size_t> widths(t.columns().size());
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], display_width(line[i]));

    std::string out;
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const std::string room(widths[i] - display_width(line[i]), ' ');
            text += (i == 0 ? "" : "  ") + (t.columns()[i].at_right() ? room + line[i] : line[i] + room);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += bold && &line == &lines[0] ? "\x1b[1m" + text + "\x1b[0m\n" : text + '\n';
    }
    return out;
}

/// A JSON string. Boost.JSON leaves the control characters behind ASCII as they are.
inline std::string json_text(std::string_view text) {
    std::string out;
    each_character(boost::json::serialize(boost::json::string{text}), [&](char32_t c, std::string_view bytes) {
        if (c >= 0x7F && is_control(c)) out += hexadecimal("\\u", c, 4);
        else out += bytes;
    });
    return out;
}
inline std::string json_value(const cell& c) {
    if (std::holds_alternative<std::monostate>(c)) return "null";
    const bool is_text = std::holds_alternative<std::string>(c) || std::holds_alternative<time_point>(c);
    return is_text ? json_text(plain(c)) : plain(c);
}
/// An array with one object in each line.
inline std::string as_json(const table& t) {
    std::string out = "[";
    for (std::size_t i = 0; i < t.size(); ++i) {
        std::string members;
        for (std::size_t k = 0; k < t.columns().size(); ++k) {
            const column& of = t.columns()[k];
            members += (k == 0 ? "" : ",") + json_text(of.name) + ':' + json_value(t[i][k]);
            if (of.kind == kind::count)
                members += ',' + json_text(of.name + std::string{capped_suffix}) + ':' +
                           (is_capped(t[i][k]) ? "true" : "false");
        }
        out += (i == 0 ? "\n{" : ",\n{") + members + '}';
    }
    return out + (t.size() == 0 ? "]\n" : "\n]\n");
}

inline std::string csv_field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
    std::string out{'"'};
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + '"';
}
/// RFC 4180, with a header. `on_terminal`: control characters are escaped.
inline std::string as_csv(const table& t, bool on_terminal) {
    std::string out;
    const auto line = [&](auto field_of, auto capped_of) {
        std::string text;
        for (std::size_t k = 0; k < t.columns().size(); ++k) {
            const std::string field = field_of(k);
            text += (k == 0 ? "" : ",") + csv_field(on_terminal ? safe(field) : field);
            if (t.columns()[k].kind == kind::count) text += ',' + capped_of(k);
        }
        out += text + "\r\n";
    };
    line([&](std::size_t k) { return t.columns()[k].name; },
         [&](std::size_t k) { return t.columns()[k].name + std::string{capped_suffix}; });
    for (std::size_t i = 0; i < t.size(); ++i)
        line([&](std::size_t k) { return plain(t[i][k]); },
             [&](std::size_t k) { return std::string{is_capped(t[i][k]) ? "true" : "false"}; });
    return out;
}

inline std::string markdown_text(std::string_view text) {
    std::string out;
    for (const char c : safe(text)) {
        if (c == '<') out += "&lt;";
        else if (c == '&') out += "&amp;";
        else if (std::string_view{"\\`*_[]|~"}.find(c) != std::string_view::npos) out += std::string{'\\', c};
        else out += c;
    }
    return out;
}
inline std::string as_markdown(const table& t) {
    std::string head = "|", rule = "|", rows;
    for (const column& c : t.columns()) {
        head += ' ' + markdown_text(c.name) + " |";
        rule += c.at_right() ? "---:|" : "---|";
    }
    for (std::size_t i = 0; i < t.size(); ++i) {
        rows += '|';
        for (const cell& c : t[i]) rows += ' ' + markdown_text(shown(c)) + " |";
        rows += '\n';
    }
    return head + '\n' + rule + '\n' + rows;
}

}  // namespace pgq::cli
