#pragma once

#include <string>
#include <string_view>

namespace pgq::statement {

/// One SQL statement as a value: the name it is prepared under and told in errors, and its text, in which `{s}`
/// stands for the quoted schema and `{q}` for the same inside a string literal. Parameters are bound in binary and carry their types, so the text has no casts for them.
struct query {
    const char* name;
    std::string_view text;
    bool prepare = true;  ///< false for commands whose text differs from session to session
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

/// The text for one schema.
inline std::string render(std::string_view text, std::string_view schema) {
    const std::string identifier = quoted(schema);
    const std::string literal = in_literal(identifier);
    std::string out;
    out.reserve(text.size() + 200);
    for (std::size_t at = 0;;) {
        const std::size_t hit = text.find('{', at);
        out += text.substr(at, hit - at);
        if (hit == std::string_view::npos) return out;
        const auto key = text.substr(hit, 3);
        const bool known = key == "{s}" || key == "{q}";
        out += key == "{s}" ? identifier : known ? literal : "{";
        at = hit + (known ? 3 : 1);
    }
}

}  // namespace pgq::statement
