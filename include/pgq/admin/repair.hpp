#pragma once

#include <pgq/protocol/doctor/examination.hpp>
#include <pgq/schema/catalog/expected.hpp>
#include <pgq/schema/catalog/statement_of.hpp>
#include <pgq/schema/script_text.hpp>
#include <pgq/statement/query.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// The statements by which a doctor repairs an object of the schema.
namespace pgq::detail::repair {

using schema::expected_object;

/// The schema and a name in it, quoted.
inline std::string in_schema(std::string_view schema_name, std::string_view name) {
    return statement::quoted(schema_name) + "." + statement::quoted(name);
}

/// An expression or a definition of the catalog with the schema before the names of tables and sequences.
inline std::string qualified(std::string text, std::string_view schema_name) {
    const auto replace = [&](std::string_view before, std::string_view after, bool in_literal) {
        const std::size_t at = text.find(before);
        if (at == std::string::npos) return;
        const std::size_t begin = at + before.size(), end = text.find(after, begin);
        if (end == std::string::npos) return;
        const std::string name = statement::quoted(schema_name) + "." + text.substr(begin, end - begin);
        if (in_literal) text.replace(at, end + 1 - at, schema::literal(name));
        else text.replace(begin, end - begin, name);
    };
    if (text.find("'::regclass") != std::string::npos) replace("'", "'::regclass", true);
    replace("REFERENCES ", "(", false);
    return text;
}

/// A function with the types of its arguments, from its name in a catalog_object.
inline std::string signature(std::string_view schema_name, std::string_view function) {
    std::string text{function};
    // The only type of the schema that a function takes is the row of a table.
    for (const std::string_view open : {"(", ", "})
        for (const std::string_view close : {")", ","}) {
            const std::string row = std::string{open} + "schedule" + std::string{close};
            if (const auto at = text.find(row); at != std::string::npos)
                text.replace(at + open.size(), 8, in_schema(schema_name, "schedule"));
        }
    return statement::quoted(schema_name) + "." + text;
}

inline std::string alter_table(std::string_view schema_name, std::string_view table) {
    return "ALTER TABLE " + in_schema(schema_name, table) + " ";
}

inline std::string_view name_only(std::string_view function) { return function.substr(0, function.find('(')); }

/// Makes a function as the migration does, in place of what is there. Another result type needs a DROP, which fails if
/// something depends on the function.
inline std::string function(std::string_view schema_name, const expected_object& e, const catalog_object* had) {
    std::string text{schema::statement_of_function(name_only(e.name))};
    if (text.empty()) return {};
    const std::string who = signature(schema_name, e.name);
    const bool drops = had != nullptr && had->definition != e.definition;
    text.replace(0, std::string_view{"CREATE "}.size(), "CREATE OR REPLACE ");
    return (drops ? "DROP FUNCTION " + who + ";\n" : std::string{}) + statement::render(text, schema_name) +
           (had == nullptr || drops ? "\nREVOKE ALL ON FUNCTION " + who + " FROM PUBLIC;" : "");
}

inline std::string index(std::string_view schema_name, const expected_object& e, bool is_there) {
    const bool unique = e.definition.substr(0, 6) == "UNIQUE";
    return (is_there ? "DROP INDEX " + in_schema(schema_name, e.name) + ";\n" : std::string{}) + "CREATE " +
           (unique ? "UNIQUE " : "") + "INDEX " + statement::quoted(e.name) + " ON " + in_schema(schema_name, e.table) +
           std::string{e.definition.substr(unique ? 6 : 0)} + ";";
}

inline std::string constraint(std::string_view schema_name, const expected_object& e, bool is_there) {
    const std::string name = statement::quoted(e.name);
    return alter_table(schema_name, e.table) + (is_there ? "DROP CONSTRAINT " + name + ", " : "") + "ADD CONSTRAINT " +
           name + " " + qualified(std::string{e.definition}, schema_name) + ";";
}

/// Triggers are enabled always, also in sessions that replicate.
inline std::string trigger(std::string_view schema_name, const expected_object& e, bool is_there) {
    const auto text = schema::statement_of("CREATE TRIGGER " + std::string{e.name} + " ");
    if (text.empty()) return {};
    const std::string name = statement::quoted(e.name);
    return (is_there ? "DROP TRIGGER " + name + " ON " + in_schema(schema_name, e.table) + ";\n" : std::string{}) +
           statement::render(text, schema_name) + "\n" + alter_table(schema_name, e.table) + "ENABLE ALWAYS TRIGGER " +
           name + ";";
}

/// The default and NOT NULL of a column, where they differ. Another type needs a person: it rewrites the table.
inline std::string column(std::string_view schema_name, const expected_object& e, const catalog_object& had) {
    if (e.definition != had.definition) return {};
    std::string changes;
    const auto add = [&](const std::string& what) {
        changes += (changes.empty() ? "ALTER " : ", ALTER ") + statement::quoted(e.name) + " " + what;
    };
    if (e.traits != had.traits)
        add(e.traits.empty() ? "DROP DEFAULT" : "SET DEFAULT " + qualified(std::string{e.traits}, schema_name));
    if (e.fine != had.fine) add(e.fine ? "SET NOT NULL" : "DROP NOT NULL");
    return alter_table(schema_name, e.table) + changes + ";";
}

inline std::string drop(std::string_view schema_name, const catalog_object& o) {
    const std::string name = statement::quoted(o.name);
    switch (o.kind) {
    case object_kind::index: return "DROP INDEX " + in_schema(schema_name, o.name) + ";";
    case object_kind::constraint: return alter_table(schema_name, o.table) + "DROP CONSTRAINT " + name + ";";
    case object_kind::trigger: return "DROP TRIGGER " + name + " ON " + in_schema(schema_name, o.table) + ";";
    default: return {};
    }
}

/// "FUNCTION schema.name(...)", as ALTER and REVOKE name it.
inline std::string object(std::string_view schema_name, const catalog_object& o) {
    if (o.kind == object_kind::function) return "FUNCTION " + signature(schema_name, o.name);
    const bool is_view = o.definition.substr(0, 4) == "view";
    return (o.kind == object_kind::sequence ? "SEQUENCE "
            : is_view                       ? "VIEW "
                                            : "TABLE ") +
           in_schema(schema_name, o.name);
}

}  // namespace pgq::detail::repair
