#pragma once

#include <pgq/statement/columns.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pgq::statement {

/// A statement has no more parameters than this: `params` and what sends them have arrays of this size.
inline constexpr std::size_t max_parameters = 25;

/// The highest number of a parameter `$n` in a statement.
constexpr std::size_t count_parameters(std::string_view text) noexcept {
    std::size_t most = 0;
    for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at)) {
        std::size_t number = 0;
        for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
            number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(text[at] - '0'), 100'000);
        most = std::max(most, number);
    }
    return most;
}

/// One SQL statement as a value. In its text `{s}` stands for the quoted schema, `{q}` for the same inside a string
/// literal, and the names of statement/columns.hpp in braces for lists of columns. Parameters are bound in binary and
/// carry their types, so the text has no casts for them.
struct query {
    const char* name = "";  ///< it is prepared under this name, and errors name it
    std::string_view text{};
    bool prepare = true;  ///< false for a statement whose text changes, or whose plan should be made anew
    bool stored = false;  ///< a function of the schema has it, too; see `unprepared_text`
    std::size_t parameters = 0;

    constexpr query() = default;
    /// A constant with more parameters than `max_parameters` does not compile; otherwise this throws std::length_error.
    constexpr query(const char* statement_name, std::string_view sql, bool prepared = true)
        : name{statement_name}, text{sql}, prepare{prepared}, parameters{count_parameters(sql)} {
        if (parameters > max_parameters) throw std::length_error{"a statement has more than 25 parameters"};
    }

    /// The same statement for `sql/0009_stored_statements.sql`; tools/schema/stored_statements.hpp lists them.
    constexpr query as_stored() const noexcept {
        query copy = *this;
        copy.stored = true;
        return copy;
    }
};

/// A quoted SQL identifier.
inline std::string quoted(std::string_view name) {
    std::string out{'"'};
    for (char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out += '"';
}

/// The same inside a string literal.
inline std::string in_literal(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '\'') out += '\'';
        out += c;
    }
    return out;
}

/// The text for one schema. Other braces stay as they are.
inline std::string render(std::string_view text, std::string_view schema) {
    const std::string identifier = quoted(schema);
    const std::string literal = in_literal(identifier);
    std::string out;
    out.reserve(text.size() + 400);
    for (std::size_t at = 0;;) {
        const std::size_t open = text.find('{', at);
        out += text.substr(at, open - at);
        if (open == std::string_view::npos) return out;
        const std::size_t close = text.find('}', open);
        const auto name =
            close == std::string_view::npos ? std::string_view{} : text.substr(open + 1, close - open - 1);
        at = close + 1;
        if (name == "s") out += identifier;
        else if (name == "q") out += literal;
        else if (const auto list = columns::find(name)) out += render(*list, schema);
        else out += '{', at = open + 1;
    }
}

/// What a session sends that cannot prepare statements, because others use it, too. The server would parse and plan a
/// statement each time, which takes longer than a small claim. It keeps the plans of the statements in a function as
/// long as its own session lives, for each client of it. So a stored statement is a call of its function.
inline std::string unprepared_text(const query& q, std::string_view schema) {
    if (!q.stored) return render(q.text, schema);
    std::string call = "SELECT * FROM " + quoted(schema) + ".stored_" + q.name + "(";
    for (std::size_t i = 1; i <= q.parameters; ++i) call += (i == 1 ? "$" : ", $") + std::to_string(i);
    return call += ")";
}

}  // namespace pgq::statement
