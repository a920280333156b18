#pragma once

#include <pgq/admin/repair.hpp>
#include <pgq/protocol/doctor/examination.hpp>
#include <pgq/protocol/doctor/finding.hpp>
#include <pgq/schema/catalog/expected.hpp>
#include <pgq/schema/catalog/statement_of.hpp>
#include <pgq/schema/checksum.hpp>
#include <pgq/statement/query.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Compares the objects of a schema with those that this version of the library makes. Pure: no server, no clock.
class drift {
public:
    /// `owner`: of the schema; empty if it is not known.
    drift(std::span<const schema::expected_object> expected, std::span<const catalog_object> found,
          std::string_view schema_name, std::string_view owner)
        : expected_{expected}, schema_{schema_name}, owner_{owner} {
        for (const auto& o : found) found_.emplace(key{static_cast<char>(o.kind), o.table, o.name}, &o);
        for (const auto& e : expected) known_.emplace(key{e.kind, e.table, e.name}, &e);
    }

    std::vector<finding> findings() && {
        for (const auto& e : expected_) {
            const catalog_object* const o = find(e.kind, e.table, e.name);
            if (o == nullptr) {
                if (e.table.empty() || find('t', {}, e.table) != nullptr) report_missing(e);
            } else {
                compare(e, *o);
                check_rights(*o);
            }
        }
        report_foreign();
        return std::move(out_);
    }

private:
    using key = std::tuple<char, std::string_view, std::string_view>;

    const catalog_object* find(char kind, std::string_view table, std::string_view name) const {
        const auto at = found_.find(key{kind, table, name});
        return at == found_.end() ? nullptr : at->second;
    }

    static std::string words(char kind, std::string_view table, std::string_view name) {
        const std::string of = table.empty() ? std::string{} : " of the table " + statement::quoted(table);
        const auto word = [&] {
            switch (static_cast<object_kind>(kind)) {
            case object_kind::table: return "table ";
            case object_kind::column: return "column ";
            case object_kind::index: return "index ";
            case object_kind::constraint: return "constraint ";
            case object_kind::trigger: return "trigger ";
            case object_kind::sequence: return "sequence ";
            case object_kind::function: return "function ";
            }
            return "object ";
        };
        return "the " + std::string{word()} + (kind == 'f' ? std::string{name} : statement::quoted(name)) + of;
    }

    void report(severity s, const char* topic, std::string what, std::string remedy, std::string sql) {
        out_.push_back({s, topic, std::move(what), std::move(remedy), std::move(sql)});
    }

    void report_missing(const schema::expected_object& e) {
        std::string sql, remedy = "run the statement";
        switch (static_cast<object_kind>(e.kind)) {
        case object_kind::index:
            sql = repair::index(schema_, e, false);
            remedy += "; while jobs run, with CREATE INDEX CONCURRENTLY outside of a transaction";
            break;
        case object_kind::constraint: sql = repair::constraint(schema_, e, false); break;
        case object_kind::trigger: sql = repair::trigger(schema_, e, false); break;
        case object_kind::function:
            sql = repair::function(schema_, e, nullptr);
            remedy += ", then the script of pgq::roles_sql() again if you use its roles";
            break;
        default: remedy = "restore it from a backup, or move the jobs into a new installation";
        }
        const bool only_slow = e.kind == 'i' && e.definition.substr(0, 6) != "UNIQUE";
        report(only_slow ? severity::warning : severity::error, "drift", words(e.kind, e.table, e.name) + " is missing",
               std::move(remedy), std::move(sql));
    }

    void compare(const schema::expected_object& e, const catalog_object& o) {
        const bool replaced = e.kind == 'f' && is_replaced_at_run_time(e);
        const bool same_body = e.kind != 'f' || replaced || has_body_of_migration(e, o);
        if (e.definition == o.definition && same_body && (replaced || e.traits == o.traits)) {
            if (e.fine != o.fine) report_unfit(e, o);
            return;
        }
        report(severity::error, "drift",
               words(e.kind, e.table, e.name) + " was changed: " + difference(e, o, same_body),
               "run the statement, or find out who needs the change", repair_of(e, &o));
    }

    std::string repair_of(const schema::expected_object& e, const catalog_object* o) const {
        switch (static_cast<object_kind>(e.kind)) {
        case object_kind::index: return repair::index(schema_, e, true);
        case object_kind::constraint: return repair::constraint(schema_, e, true);
        case object_kind::trigger: return repair::trigger(schema_, e, true);
        case object_kind::function: return repair::function(schema_, e, o);
        case object_kind::column: return repair::column(schema_, e, *o);
        default: return {};
        }
    }

    // `fine` has another meaning for each kind.
    void report_unfit(const schema::expected_object& e, const catalog_object& o) {
        const std::string name = words(e.kind, e.table, e.name);
        if (e.kind == 'c')
            report(severity::error, "drift", name + (e.fine ? " allows nulls" : " allows no nulls"),
                   "run the statement", repair::column(schema_, e, o));
        else if (e.kind == 'i')
            report(severity::warning, "drift", name + " is invalid: nothing uses it", "run the statement",
                   "REINDEX INDEX " + repair::in_schema(schema_, e.name) + ";");
        else if (e.kind == 'k')
            report(severity::warning, "drift", name + " is not validated", "run the statement",
                   repair::alter_table(schema_, e.table) + "VALIDATE CONSTRAINT " + statement::quoted(e.name) + ";");
        else if (e.kind == 'r')
            report(severity::error, "drift", name + " is not always enabled", "run the statement",
                   repair::alter_table(schema_, e.table) + "ENABLE ALWAYS TRIGGER " + statement::quoted(e.name) + ";");
    }

    // pause() and resume() replace functions that have an expression in place of a body.
    static bool is_replaced_at_run_time(const schema::expected_object& e) {
        return schema::body_of(schema::statement_of_function(repair::name_only(e.name))).empty();
    }

    bool has_body_of_migration(const schema::expected_object& e, const catalog_object& o) const {
        const auto body = schema::body_of(schema::statement_of_function(repair::name_only(e.name)));
        return schema::sql_checksum{statement::render(body, schema_)}.value() == schema::sql_checksum{o.body}.value();
    }

    static std::string difference(const schema::expected_object& e, const catalog_object& o, bool same_body) {
        const auto turn = [](std::string_view from, std::string_view to) {
            return "\"" + std::string{to} + "\" in place of \"" + std::string{from} + "\"";
        };
        if (e.definition != o.definition) return turn(e.definition, o.definition);
        if (!same_body) return "its text is another one";
        return turn(e.traits, o.traits);
    }

    void check_rights(const catalog_object& o) {
        const std::string name = words(static_cast<char>(o.kind), o.table, o.name);
        const std::string object = repair::object(schema_, o);
        if (!o.is_owned)
            report(severity::warning, "rights", name + " does not belong to the owner of the schema",
                   "run the statement", "ALTER " + object + " OWNER TO " + statement::quoted(owner_) + ";");
        if (!o.is_public) return;
        std::string sql = "REVOKE ALL ON " + object + " FROM PUBLIC;";
        if (object.starts_with("VIEW ")) sql.replace(14, 5, "TABLE ");
        report(severity::warning, "rights",
               o.kind == object_kind::function ? "everybody may execute " + name : "everybody has rights on " + name,
               "run the statement", std::move(sql));
    }

    void report_foreign() {
        std::vector<std::string> others;
        for (const auto& [where, o] : found_) {
            const auto& [kind, table, name] = where;
            if (known_.contains(where) || kind == 's') continue;
            if (kind == 't' || kind == 'f') others.push_back(words(kind, {}, name));
            else if (known_.contains(key{'t', {}, table})) report_foreign_part(*o);
        }
        if (others.empty()) return;
        std::string names;
        for (std::size_t i = 0; i < std::min<std::size_t>(others.size(), 5); ++i)
            names += (i == 0 ? "" : ", ") + others[i];
        if (others.size() > 5) names += " and " + std::to_string(others.size() - 5) + " more";
        report(severity::note, "foreign", "the schema has what pgq does not make: " + names,
               "nothing, if they are yours; a schema that only pgq uses is easier to upgrade", {});
    }

    void report_foreign_part(const catalog_object& o) {
        const std::string name = words(static_cast<char>(o.kind), o.table, o.name);
        if (o.kind == object_kind::column) {
            const bool blocks = o.fine && o.traits.empty() && o.definition.find(" GENERATED") == std::string::npos;
            report(blocks ? severity::error : severity::note, "foreign",
                   name + " is not of pgq" + (blocks ? " and has no default: each insert fails" : ""),
                   blocks ? "give it a default, or drop it" : "keep it in a table of your own, or drop it", {});
            return;
        }
        report(severity::warning, "foreign", name + " is not of pgq, and each change of a row pays for it",
               "run the statement, unless you need it", repair::drop(schema_, o));
    }

    std::span<const schema::expected_object> expected_;
    std::string_view schema_, owner_;
    std::map<key, const catalog_object*> found_{};
    std::map<key, const schema::expected_object*> known_{};
    std::vector<finding> out_{};
};

}  // namespace pgq::detail
