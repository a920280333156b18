#pragma once

#include <pgq/schema/generated.hpp>
#include <pgq/statement/query.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// Parts of the scripts that the library prints for psql.
namespace pgq::schema {

/// A literal that means the same whatever `standard_conforming_strings` is.
inline std::string literal(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    return (text.find('\\') != std::string_view::npos ? "E'" : "'") + out + "'";
}

/// `body` between dollar quotes that `body` does not contain.
inline std::string dollar_quoted(std::string_view body) {
    std::string tag = "$pgq$";
    for (int i = 1; body.find(tag) != std::string_view::npos; ++i) tag = "$pgq" + std::to_string(i) + "$";
    return tag + std::string{body} + tag;
}

using replacement = std::pair<std::string_view, std::string_view>;

/// The text with each `{name}` of the list replaced. Other braces stay, and what is filled in is not searched again.
inline std::string filled(std::string_view text, std::initializer_list<replacement> with) {
    std::string out;
    for (std::size_t at = 0;;) {
        const std::size_t open = text.find('{', at);
        out += text.substr(at, open - at);
        if (open == std::string_view::npos) return out;
        const std::size_t close = text.find('}', open);
        at = open + 1;
        bool known = false;
        for (const auto& [name, value] : with) {
            if (close == std::string_view::npos || text.substr(open + 1, close - open - 1) != name) continue;
            out += value;
            at = close + 1;
            known = true;
        }
        if (!known) out += '{';
    }
}

/// What the migrations create by these words ("CREATE TABLE "), as literals with commas between.
inline std::string created_by(std::string_view words) {
    const std::string start = std::string{words} + "{s}.";
    std::string names;
    for (const migration& m : migrations)
        for (std::size_t at = m.sql.find(start); at != std::string_view::npos; at = m.sql.find(start, at)) {
            at += start.size();
            names += (names.empty() ? "" : ", ") + literal(m.sql.substr(at, m.sql.find_first_of(" (", at) - at));
        }
    return names;
}

}  // namespace pgq::schema
