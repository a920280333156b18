#pragma once

#include <pgq/schema/generated.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

/// What the migrations say about one object.
namespace pgq::schema {

/// The latest statement that begins with these words ("CREATE INDEX ready_order "), with its semicolon; empty if no
/// migration has it. `{s}` in it is the schema.
inline std::string_view statement_of(std::string_view words) {
    for (auto m = migrations.rbegin(); m != migrations.rend(); ++m) {
        // find() looks for the first character of the words, so it is much faster than rfind().
        std::size_t at = std::string_view::npos;
        for (auto next = m->sql.find(words); next != std::string_view::npos; next = m->sql.find(words, next + 1))
            at = next;
        if (at == std::string_view::npos) continue;
        const auto text = m->sql.substr(at);
        const std::size_t quote = text.find("$$"), end = text.find(';');
        if (quote > end) return text.substr(0, end + 1);
        return text.substr(0, text.find(';', text.find("$$", quote + 2)) + 1);
    }
    return {};
}

/// The statement that makes a function, by its name without arguments.
inline std::string_view statement_of_function(std::string_view name) {
    return statement_of("CREATE FUNCTION {s}." + std::string{name} + "(");
}

/// The text between the dollar quotes of a statement; empty if it has none.
inline std::string_view body_of(std::string_view create_function) {
    const std::size_t begin = create_function.find("$$"), end = create_function.rfind("$$");
    return begin == end ? std::string_view{} : create_function.substr(begin + 2, end - begin - 2);
}

}  // namespace pgq::schema
