#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/sql_surface.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/compose/sql_function.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/serializer/json_problem.hpp>
#include <pgq/statement/sql_surface.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq {

/// Where the functions of `emit_sql` are, and for what.
struct sql_options {
    std::string queue = "default";           ///< the name of the queue that they enqueue into
    std::string jobs_schema = "pgq_jobs";    ///< where the tables are: `connection_options::schema`
    std::string schema = {};                 ///< where the functions are; empty: with the tables
    std::string prefix = "enqueue_";         ///< the functions are called this and the entrypoint
    std::vector<std::string> grant_to = {};  ///< roles that may use the schema and its functions; "PUBLIC" is everybody
    bool require_members = false;  ///< also members that the job type has a default for, except for optional ones
    std::size_t max_payload = std::size_t{16} << 20;  ///< bytes: `connection_options::max_payload`
};

namespace detail {

/// Puts the functions into a script.
class sql_script {
public:
    explicit sql_script(const sql_options& o) : options_{o} {
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

    sql_function_settings settings() const {
        return {.schemas = schemas(),
                .queue = options_.queue,
                .prefix = options_.prefix,
                .require_members = options_.require_members,
                .max_payload = options_.max_payload};
    }

    void add_helpers() {
        add_helper("enqueue", "enqueues a body that nobody has looked at",
                   "queue text, entrypoint text, version text, body bytea, priority integer DEFAULT 0,\n"
                   "    run_at timestamptz DEFAULT NULL, expected_at timestamptz DEFAULT NULL,\n"
                   "    headers jsonb DEFAULT NULL, limit_key text DEFAULT NULL",
                   "bigint", "VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp", statement::sql_enqueue);
        add_helper("pgq_json_text", "checks a payload and writes it as serializer::json does",
                   "shapes jsonb, shape jsonb, value jsonb, path text, depth integer", "text", "IMMUTABLE",
                   statement::sql_json_text);
        add_helper("pgq_ticks", "turns a duration into a count", "span interval, num bigint, den bigint, path text",
                   "jsonb", "IMMUTABLE", statement::sql_ticks);
    }

    result<void> add(std::optional<sql_function_text> f, std::string_view entrypoint, std::string_view version) {
        if (!is_storable_text(entrypoint))
            return error_info{errc::invalid_name, "the name of an entrypoint is not UTF-8 text"};
        if (!f) return leave_out(entrypoint, "the key of its limit is computed by the program"), result<void>{};
        lanes_ += (lanes_.empty() ? "" : ", ") + ("(" + statement::literal(entrypoint)) + ", " +
                  statement::literal(version) + ")";
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
        std::string all = left_out_ + make_room();
        if (!lanes_.empty())
            all +=
                rendered(
                    "\n-- Now, and not in the transaction of whoever comes first.\nINSERT INTO {j}.lane (queue, "
                    "entrypoint, version)\n") +
                "SELECT " + statement::literal(options_.queue) + ", n.e, n.v FROM (VALUES " + lanes_ + ") n(e, v)\n" +
                rendered("EXCEPT SELECT l.queue, l.entrypoint, l.version FROM {j}.lane l\nON CONFLICT DO NOTHING;\n");
        for (const auto& f : functions_) all += "\n" + f.create;
        all += finish();
        return "-- pgq emit_sql " + std::to_string(statement::sql_surface_version) + ", checksum " +
               statement::digest(all) + "\n-- Run it as one transaction: psql -1 -v ON_ERROR_STOP=1 -f this_file\n" +
               all;
    }

private:
    statement::surface_schemas schemas() const { return {options_.jobs_schema, options_.schema}; }
    std::string rendered(std::string_view text) const { return statement::render(text, schemas()); }

    static result<void> check_name(const std::string& name, std::size_t most, const std::string& what) {
        if (!name.empty() && name.size() <= most && is_storable_text(name)) return {};
        return error_info{errc::invalid_name,
                          "the name of a " + what + " is UTF-8 text of 1 to " + std::to_string(most) + " bytes"};
    }

    void add_helper(std::string name, std::string about, const std::string& arguments, const std::string& returns,
                    const std::string& how, std::string_view body) {
        functions_.push_back({.name = name,
                              .owner = statement::digest("for all"),
                              .signature = statement::digest(arguments),
                              .about = std::move(about),
                              .create = "CREATE OR REPLACE FUNCTION " + rendered("{f}.") + name + "(" + arguments +
                                        ")\nRETURNS " + returns + " LANGUAGE plpgsql " + how + " AS " +
                                        statement::dollar_quoted(rendered(body)) + ";\n"});
    }

    /// (name, owner, signature, comment) of all functions, as VALUES.
    std::string list() const {
        std::string rows;
        for (const auto& f : functions_) {
            const std::string says = "pgq emit_sql " + std::to_string(statement::sql_surface_version) + " " + f.owner +
                                     " " + f.signature + " " + statement::digest(f.create) + ": " + f.about;
            rows += (rows.empty() ? "" : ",\n            ") + ("(" + statement::literal(f.name)) + ", " +
                    statement::literal(f.owner) + ", " + statement::literal(f.signature) + ", " +
                    statement::literal(says) + ")";
        }
        return rows;
    }

    // Only what bears our comment is ever dropped, and who could call it can call the new one.
    std::string make_room() const {
        return "\nDO " +
               statement::dollar_quoted(rendered(R"(
DECLARE
    f record;
    grants jsonb := '[]';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pgq emit_sql', 0));
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
        IF f.says NOT LIKE 'pgq emit\_sql %' OR split_part(f.says, ' ', 4) <> f.owner THEN
            RAISE EXCEPTION USING ERRCODE = '42723', MESSAGE = format('the function %s is for something else', f.is_now),
                HINT = 'emit with another prefix or into another schema, or drop it';
        ELSIF split_part(f.says, ' ', 3)::int > )") +
                                        std::to_string(statement::sql_surface_version) + R"( THEN
            RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('the function %s was made by a newer pgq', f.is_now),
                HINT = 'emit with that version, or into another schema';
        ELSIF split_part(f.says, ' ', 5) <> f.signature THEN
            SELECT grants || coalesce(jsonb_agg(jsonb_build_array(f.name, a.grantee::regrole::text)), '[]') INTO grants
              FROM aclexplode(f.proacl) a WHERE a.grantee NOT IN (0, f.proowner) AND a.privilege_type = 'EXECUTE';
            EXECUTE format('DROP FUNCTION %s', f.is_now);
        END IF;
    END LOOP;
    PERFORM set_config('pgq.emit_sql_grants', grants::text, false);
END )") + ";\n";
    }

    std::string finish() const {
        std::string all = "\nDO " + statement::dollar_quoted(rendered(R"(
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
        FOR who IN SELECT g ->> 1 FROM jsonb_array_elements(current_setting('pgq.emit_sql_grants')::jsonb) g
                    WHERE g ->> 0 = f.name LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f.is_now, who);
        END LOOP;)") + grants() + R"(
    END LOOP;
    PERFORM set_config('pgq.emit_sql_grants', '', false);
END )") + ";\n";
        for (const auto& role : options_.grant_to)
            all += rendered("GRANT USAGE ON SCHEMA {f} TO ") + role_name(role) + ";\n";
        return all;
    }
    // Those of the entrypoints only: who may call `enqueue` itself may write anything to any queue.
    std::string grants() const {
        std::string all;
        for (const auto& role : options_.grant_to)
            all += "\n        IF f.comment NOT LIKE " +
                   statement::literal("pgq emit_sql _ " + statement::digest("for all") + " %") +
                   " THEN EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f.is_now, " +
                   statement::literal(role_name(role)) + "); END IF;";
        return all;
    }
    static std::string role_name(const std::string& role) { return role == "PUBLIC" ? role : statement::quoted(role); }

    sql_options options_;
    std::vector<sql_function_text> functions_;
    std::string lanes_;
    std::string left_out_;
};

template <class Composition, class Job>
inline constexpr bool is_secret_payload =
    encrypting_serializer<typename Composition::template serializer_of<Job>> || holds_sensitive<Job>;

template <class Composition, class Job>
struct payload_for_sql {
    using serializer = typename Composition::template serializer_of<Job>;
    static constexpr bool fits = is_secret_payload<Composition, Job> || !std::is_void_v<plain_json_t<serializer>>;
    using message = std::conditional_t<fits, std::true_type, diagnostic::payload_not_for_sql<Job, serializer>>;
};

template <class... Messages>
struct first_of_messages {
    using type = std::true_type;
};
template <class Message, class... Rest>
struct first_of_messages<Message, Rest...> : first_of_messages<Rest...> {};
template <class Message, class... Rest>
    requires(!std::is_same_v<Message, std::true_type>)
struct first_of_messages<Message, Rest...> {
    using type = Message;
};

template <class Composition, class Job>
result<void> add_sql_function(sql_script& script) {
    if constexpr (is_secret_payload<Composition, Job>) {
        script.leave_out(entrypoint_of<Job>, "its payload is encrypted");
        return {};
    } else if constexpr (!std::is_void_v<typename Composition::template uniqueness_of<Job>>) {
        script.leave_out(entrypoint_of<Job>, "its unique key is made by the program");
        return {};
    } else {
        const auto lane = Composition::lanes[Composition::template lane_of<Job>].name;
        return script.add(sql_function<Composition, Job>{script.settings()}.text(), lane.entrypoint, lane.version);
    }
}

template <class Composition, class... Jobs>
result<std::string> emit_sql_for(const sql_options& options, type_list<Jobs...>) {
    if constexpr ((diagnostic::require_known_job<Composition, Jobs>::value && ...)) {
        // The first that does not fit is one error.
        using message = typename first_of_messages<typename payload_for_sql<Composition, Jobs>::message...>::type;
        static_assert(sizeof(message) != 0);
        if constexpr ((payload_for_sql<Composition, Jobs>::fits && ...)) {
            sql_script script{options};
            if (auto fine = script.check(); !fine) return fine.error();
            script.add_helpers();
            result<void> added;
            ((added ? void(added = add_sql_function<Composition, Jobs>(script)) : void()), ...);
            if (!added) return added.error();
            return script.text();
        }
    }
    return errc::invalid_option;
}

}  // namespace detail

/// A script that makes a function for each entrypoint of a queue, to enqueue from SQL, triggers and other languages:
///
///     SELECT pgq_jobs.enqueue_send_email('{"to": "ada@example.org"}', priority => 5);
///     SELECT pgq_jobs.enqueue_send_email("to" => 'ada@example.org', run_at => now() + interval '1 hour');
///
/// The functions check the payload and store what serializer::json would write, in the caller's transaction; they need no right but EXECUTE. Running the
/// script again is harmless; running that of a changed program replaces the functions. Entrypoints whose payload is encrypted, whose jobs
/// have unique keys by a policy, or whose limit has a key that only the program can compute, get none, and a comment that says so.
/// See docs/reference/sql.md.
///
/// Errors: errc::invalid_name, for a name in the options that PostgreSQL does not take. It does not look at a database.
template <class Queue>
result<std::string> emit_sql(const sql_options& options = {}) {
    using composition = typename Queue::composition_type;
    return detail::emit_sql_for<composition>(options, typename composition::jobs{});
}

/// For these job types of the queue only.
template <class Queue, class First, class... Jobs>
result<std::string> emit_sql(const sql_options& options = {}) {
    return detail::emit_sql_for<typename Queue::composition_type>(options, detail::type_list<First, Jobs...>{});
}

}  // namespace pgq
