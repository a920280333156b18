#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/serializer/json/problem.hpp>
#include <pgq/sql_functions/enqueue_function.hpp>
#include <pgq/sql_functions/entrypoint_function.hpp>
#include <pgq/sql_functions/json_functions.hpp>
#include <pgq/sql_functions/options.hpp>
#include <pgq/sql_functions/sql_text.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail::sql {

/// The script: checks the options, collects the functions, and writes the statements around them.
class script {
public:
    explicit script(const sql_options& o) : options_{o} {
        if (options_.schema.empty()) options_.schema = options_.jobs_schema;
    }

    result<void> check() const {
        for (const auto* schema : {&options_.jobs_schema, &options_.schema})
            if (auto fine = check_name(*schema, max_identifier_bytes, "schema"); !fine) return fine;
        if (auto fine = check_name(options_.queue, max_name_bytes, "queue"); !fine) return fine;
        for (const auto& role : options_.grant_to)
            if (auto fine = check_name(role, max_identifier_bytes, "role"); !fine) return fine;
        if (!is_storable_text(options_.prefix) || options_.prefix.size() > max_identifier_bytes / 2)
            return error_info{errc::invalid_name, "the prefix is UTF-8 text of at most 31 bytes"};
        return {};
    }

    function_settings settings() const {
        return {.schemas = schemas(),
                .queue = options_.queue,
                .prefix = options_.prefix,
                .require_members = options_.require_members,
                .max_payload = options_.max_payload};
    }

    void add_helpers() {
        add_helper("enqueue", "enqueues bytes without checking them",
                   "queue text, entrypoint text, version text, body bytea, priority integer DEFAULT 0,\n"
                   "    run_at timestamptz DEFAULT NULL, expected_at timestamptz DEFAULT NULL,\n"
                   "    headers jsonb DEFAULT NULL, limit_key text DEFAULT NULL",
                   "bigint", "VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp", enqueue_body);
        add_helper("pgq_json_text", "checks a payload and writes it as serializer::json does",
                   "shapes jsonb, shape jsonb, value jsonb, path text, depth integer", "text", "IMMUTABLE",
                   json_text_body);
        add_helper("pgq_ticks", "turns a duration into a count", "span interval, num bigint, den bigint, path text",
                   "jsonb", "IMMUTABLE", ticks_body);
    }

    result<void> add(std::optional<function_text> f, std::string_view entrypoint, std::string_view version) {
        if (!is_storable_text(entrypoint))
            return error_info{errc::invalid_name, "the name of an entrypoint is not UTF-8 text"};
        if (!f) return leave_out(entrypoint, "the key of its limit is computed by the program"), result<void>{};
        lanes_ += (lanes_.empty() ? "" : ", ") + ("(" + sql::literal(entrypoint)) + ", " + sql::literal(version) + ")";
        functions_.push_back(std::move(*f));
        return {};
    }
    void leave_out(std::string_view entrypoint, std::string_view why) {
        left_out_ +=
            "-- no function for " + serializer::json_problem::printable(entrypoint) + ": " + std::string{why} + "\n";
    }

    result<std::string> text() const {
        for (std::size_t i = 0; i < functions_.size(); ++i)
            for (std::size_t k = 0; k < i; ++k)
                if (functions_[i].name == functions_[k].name)
                    return error_info{errc::invalid_name,
                                      "two functions would be called " + statement::quoted(functions_[i].name),
                                      "give another prefix"};
        std::string all = left_out_ + drop_former();
        if (!lanes_.empty())
            all +=
                rendered(
                    "\n-- Here, so that no caller makes a lane in a transaction of its own and lets others "
                    "wait.\nWITH added AS (INSERT INTO {j}.lane (queue, "
                    "entrypoint, version)\n") +
                "SELECT " + sql::literal(options_.queue) + ", n.e, n.v FROM (VALUES " + lanes_ + ") n(e, v)\n" +
                rendered(
                    "EXCEPT SELECT l.queue, l.entrypoint, l.version FROM {j}.lane l\n"
                    "ON CONFLICT DO NOTHING RETURNING id)\n"
                    "INSERT INTO {j}.claim_slot (lane, number) SELECT a.id, n FROM added a, generate_series(1, 4) n\n"
                    "ON CONFLICT DO NOTHING;\n");
        for (const auto& f : functions_) all += "\n" + f.create;
        all += comment_and_grant();
        return "-- pgq sql_functions " + std::to_string(script_version) + ", checksum " + sql::digest(all) +
               "\n-- Run it as one transaction: psql -1 -v ON_ERROR_STOP=1 -f this_file\n" + all;
    }

private:
    sql::schemas schemas() const { return {options_.jobs_schema, options_.schema}; }
    std::string rendered(std::string_view text) const { return sql::render(text, schemas()); }

    static result<void> check_name(const std::string& name, std::size_t most, const std::string& what) {
        if (!name.empty() && name.size() <= most && is_storable_text(name)) return {};
        return error_info{errc::invalid_name,
                          "the name of a " + what + " is UTF-8 text of 1 to " + std::to_string(most) + " bytes"};
    }

    void add_helper(const std::string& name, std::string about, const std::string& arguments,
                    const std::string& returns, const std::string& how, std::string_view body) {
        functions_.push_back({.name = name,
                              .owner = sql::digest("for all"),
                              .signature = sql::digest(arguments),
                              .about = std::move(about),
                              .create = "CREATE OR REPLACE FUNCTION " + rendered("{f}.") + name + "(" + arguments +
                                        ")\nRETURNS " + returns + " LANGUAGE plpgsql " + how + " AS " +
                                        sql::dollar_quoted(rendered(body)) + ";\n"});
    }

    // (name, owner, signature, comment) of all functions, as VALUES.
    std::string list() const {
        std::string rows;
        for (const auto& f : functions_) {
            const std::string comment = "pgq sql_functions " + std::to_string(script_version) + " " + f.owner + " " +
                                        f.signature + " " + sql::digest(f.create) + ": " + f.about;
            rows += (rows.empty() ? "" : ",\n            ") + ("(" + sql::literal(f.name)) + ", " +
                    sql::literal(f.owner) + ", " + sql::literal(f.signature) + ", " + sql::literal(comment) + ")";
        }
        return rows;
    }

    // Drops only functions with the comment of this script. The roles that could call a dropped function can call the
    // new one.
    std::string drop_former() const {
        return "\nDO " +
               sql::dollar_quoted(rendered(R"(
DECLARE
    f record;
    grants jsonb := '[]';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pgq sql_functions', 0));
    IF to_regclass({jl} || '.lane') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '3F000', MESSAGE = 'there are no pgq tables in the schema ' || {jl},
                              HINT = 'call install() on the queue first, or name the right schema';
    END IF;
    IF to_regnamespace({fl}) IS NULL THEN CREATE SCHEMA {f}; END IF;
    FOR f IN
        SELECT n.name, n.owner, n.signature, p.oid::regprocedure AS is_now, p.proacl, p.proowner,
               coalesce(obj_description(p.oid, 'pg_proc'), '') AS says
          FROM (VALUES
            )") + list() + rendered(R"(
          ) n(name, owner, signature, comment)
          JOIN pg_proc p ON p.proname = n.name AND p.pronamespace = to_regnamespace({fl})
    LOOP
        IF f.says NOT LIKE 'pgq sql\_functions %' OR split_part(f.says, ' ', 4) <> f.owner THEN
            RAISE EXCEPTION USING ERRCODE = '42723',
                MESSAGE = format('the function %s is for something else', f.is_now),
                HINT = 'write the script with another prefix or for another schema, or drop that function';
        ELSIF split_part(f.says, ' ', 3)::int > )") +
                                  std::to_string(script_version) + R"( THEN
            RAISE EXCEPTION USING ERRCODE = '55000',
                MESSAGE = format('the function %s was made by a newer pgq', f.is_now),
                HINT = 'write the script with that version, or for another schema';
        ELSIF split_part(f.says, ' ', 5) <> f.signature THEN
            SELECT grants || coalesce(jsonb_agg(jsonb_build_array(f.name, a.grantee::regrole::text)), '[]') INTO grants
              FROM aclexplode(f.proacl) a WHERE a.grantee NOT IN (0, f.proowner) AND a.privilege_type = 'EXECUTE';
            EXECUTE format('DROP FUNCTION %s', f.is_now);
        END IF;
    END LOOP;
    PERFORM set_config('pgq.sql_functions_grants', grants::text, false);
END )") + ";\n";
    }

    std::string comment_and_grant() const {
        std::string all = "\nDO " + sql::dollar_quoted(rendered(R"(
DECLARE
    f record;
    who text;
BEGIN
    FOR f IN
        SELECT n.name, n.comment, p.oid::regprocedure AS is_now
          FROM (VALUES
            )") + list() + rendered(R"(
          ) n(name, owner, signature, comment)
          JOIN pg_proc p ON p.proname = n.name AND p.pronamespace = to_regnamespace({fl})
    LOOP
        EXECUTE format('COMMENT ON FUNCTION %s IS %L', f.is_now, f.comment);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f.is_now);
        FOR who IN SELECT g ->> 1 FROM jsonb_array_elements(current_setting('pgq.sql_functions_grants')::jsonb) g
                    WHERE g ->> 0 = f.name LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f.is_now, who);
        END LOOP;)") + grants() + R"(
    END LOOP;
    PERFORM set_config('pgq.sql_functions_grants', '', false);
END )") + ";\n";
        for (const auto& role : options_.grant_to)
            all += rendered("GRANT USAGE ON SCHEMA {f} TO ") + role_name(role) + ";\n";
        return all;
    }
    // For the functions of entrypoints only: a role that may call `enqueue` can write anything to any queue.
    std::string grants() const {
        std::string all;
        for (const auto& role : options_.grant_to)
            all += "\n        IF f.comment NOT LIKE " +
                   sql::literal("pgq sql_functions _ " + sql::digest("for all") + " %") +
                   " THEN EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f.is_now, " +
                   sql::literal(role_name(role)) + "); END IF;";
        return all;
    }
    static std::string role_name(const std::string& role) { return role == "PUBLIC" ? role : statement::quoted(role); }

    sql_options options_;
    std::vector<function_text> functions_;
    std::string lanes_;
    std::string left_out_;
};

}  // namespace pgq::detail::sql
