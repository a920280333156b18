#pragma once

#include <pgq/statement/query.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Names, literals and placeholders in the SQL that <pgq/sql_functions.hpp> writes.
namespace pgq::detail::sql {

/// Counted up when a written function changes its arguments or its meaning.
inline constexpr int script_version = 1;

/// A literal that means the same whatever `standard_conforming_strings` is.
inline std::string literal(std::string_view text) {
    std::string out;
    const bool escapes = text.find('\\') != std::string_view::npos;
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    return (escapes ? "E'" : "'") + out + "'";
}

/// 16 hexadecimal digits of a text (FNV-1a): a checksum, no protection against an attacker.
inline std::string digest(std::string_view text) {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    std::string out(16, '0');
    for (std::size_t i = 0; i < 16; ++i) out[i] = "0123456789abcdef"[(hash >> (60 - 4 * i)) & 15u];
    return out;
}

/// `body` between dollar quotes that `body` does not contain.
inline std::string dollar_quoted(std::string_view body) {
    std::string tag = "$pgq$";
    for (int i = 1; body.find(tag) != std::string_view::npos; ++i) tag = "$pgq" + std::to_string(i) + "$";
    return tag + std::string{body} + tag;
}

/// Where the tables and the functions are.
struct schemas {
    std::string_view jobs;
    std::string_view functions;
};

/// Fills in `{j}`, the quoted schema of the jobs, `{f}`, that of the functions, `{jl}` and `{fl}`, the same as
/// literals, and `{id}`, the sequence of job ids as a literal. Other braces stay. The names are quoted: they never
/// become SQL.
inline std::string render(std::string_view text, const schemas& s) {
    std::string out;
    for (std::size_t at = 0;;) {
        const std::size_t hit = text.find('{', at);
        out += text.substr(at, hit - at);
        if (hit == std::string_view::npos) return out;
        const auto close = text.find('}', hit);
        const auto key = text.substr(hit, close - hit + 1);
        at = hit + key.size();
        if (key == "{j}") out += statement::quoted(s.jobs);
        else if (key == "{f}") out += statement::quoted(s.functions);
        else if (key == "{jl}") out += literal(statement::quoted(s.jobs));
        else if (key == "{fl}") out += literal(statement::quoted(s.functions));
        else if (key == "{id}") out += literal(statement::quoted(s.jobs) + ".job_id");
        else {
            out += '{';
            at = hit + 1;
        }
    }
}

inline constexpr std::size_t max_identifier_bytes = 63;

/// `name`, or if PostgreSQL would cut it, as much of it as fits (between two characters) and a digest of the whole.
inline std::string identifier(std::string_view name) {
    if (name.size() <= max_identifier_bytes) return std::string{name};
    std::size_t cut = max_identifier_bytes - 17;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0u) == 0x80u) --cut;
    return std::string{name.substr(0, cut)} + "_" + digest(name);
}

}  // namespace pgq::detail::sql
