#pragma once

#include <pgq/client/stored_options.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/policy.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/versioned.hpp>
#include <pgq/sql_functions/compound_parameter.hpp>
#include <pgq/sql_functions/json_shape.hpp>
#include <pgq/sql_functions/limit_key.hpp>
#include <pgq/sql_functions/parameter.hpp>
#include <pgq/sql_functions/sql_text.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::detail::sql {

/// The JSON that a serializer writes in the end; void if it writes another format.
template <class Serializer>
struct plain_json {
    using type = void;
};
template <serializer::json_options Options, class Secrets>
struct plain_json<serializer::basic_json<Options, Secrets>> {
    using type = serializer::basic_json<Options, Secrets>;
};
template <class Inner>
struct plain_json<serializer::versioned<Inner>> : plain_json<Inner> {};

template <class Serializer>
using plain_json_t = typename plain_json<Serializer>::type;

/// One finished function, and what the script needs to know of it.
struct function_text {
    std::string name{};
    std::string owner{};  ///< a digest of what it is for: a function of this name with another owner is not replaced
    std::string signature{};  ///< a digest of its arguments
    std::string about{};      ///< for people
    std::string create{};     ///< the statement that makes it
};

struct function_settings {
    sql::schemas schemas;
    std::string_view queue;
    std::string_view prefix;
    bool require_members = false;
    std::size_t max_payload = 0;
};

/// The function of one entrypoint.
template <class Composition, class Job>
class entrypoint_function {
    using json_type = plain_json_t<typename Composition::template serializer_of<Job>>;
    using limiter_type = typename Composition::template limiter_of<Job>;
    using settings = settings_for<Composition, Job>;

    static constexpr std::size_t most_arguments = 100;  // of PostgreSQL
    // payload, priority, run_at, expected_at, headers, max_attempts, timeout
    static constexpr std::size_t options = 7;
    static constexpr bool has_members = members_of<Job>::size + options <= most_arguments;

public:
    explicit entrypoint_function(const function_settings& s)
        : settings_{s}, required_{s.require_members || json_type::options.missing == serializer::if_missing::fail} {}

    static std::string name(std::string_view prefix) {
        return identifier(std::string{prefix} + std::string{entrypoint_of<Job>});
    }

    /// None if only the program can compute the key of a job's limit.
    std::optional<function_text> text() {
        key_ = limit_key<limiter_type>::template expression<Job>();
        if (key_.empty()) return {};
        add_members(members_of<Job>{});
        const std::string arguments = argument_list();
        const std::string named = name(settings_.prefix);
        return function_text{
            .name = named,
            .owner = sql::digest(std::string{settings_.schemas.jobs} + '\n' + std::string{settings_.queue} + '\n' +
                                 std::string{entrypoint_of<Job>}),
            .signature = sql::digest(arguments),
            .about = "enqueues jobs of one entrypoint",
            .create = "CREATE OR REPLACE FUNCTION " + rendered("{f}.") + statement::quoted(named) + "(" + arguments +
                      ")\nRETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER"
                      " SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS " +
                      sql::dollar_quoted(body()) + ";\n"};
    }

private:
    struct argument {
        std::string name;
        std::string type;
        std::string fallback;
    };

    std::string rendered(std::string_view text) const { return sql::render(text, settings_.schemas); }

    template <class... Ms>
    void add_members(type_list<Ms...>) {
        taken_ = {std::string{Ms::name}...};
        arguments_.push_back({option_name("payload"), "jsonb", "'\"members\"'"});
        if constexpr (has_members) {
            const Job job{};
            (add_member<Ms>(job), ...);
        }
        first_option_ = arguments_.size() + 1;
        arguments_.push_back({option_name("priority"), "integer", std::to_string(settings::priority)});
        arguments_.push_back({option_name("run_at"), "timestamptz", "NULL"});
        arguments_.push_back({option_name("expected_at"), "timestamptz", "NULL"});
        arguments_.push_back({option_name("headers"), "jsonb", "NULL"});
        arguments_.push_back({option_name("max_attempts"), "integer", "NULL"});
        arguments_.push_back({option_name("timeout"), "interval", "NULL"});
    }

    // If a member has the name, the option gets another.
    std::string option_name(std::string name) const {
        while (std::find(taken_.begin(), taken_.end(), name) != taken_.end()) name.insert(0, "job_");
        return name;
    }

    template <class M>
    void add_member(const Job& job) {
        using parameter = sql::parameter<typename M::type>;
        const std::string place = "$" + std::to_string(arguments_.size() + 1);
        const bool optional = serializer::detail::is_optional<typename M::type>;
        const bool needed = required_ && !optional;
        const auto fallback = needed ? std::optional<std::string>{} : parameter::literal(M::get(job));
        const std::string json_form = rendered(parameter::json(place, "$." + std::string{M::name}));
        const std::string entry = "jsonb_build_object(" + sql::literal(M::name) + ", " + json_form + ")";
        // If SQL cannot write the default, null stands for the default of the job type, or for an empty optional.
        built_.push_back(fallback || optional ? entry
                                              : "CASE WHEN " + place + " IS NULL THEN '{}' ELSE " + entry + " END");
        arguments_.push_back({std::string{M::name}, std::string{parameter::type}, fallback.value_or("NULL")});
        given_.push_back(place + " IS DISTINCT FROM " + "(" + arguments_.back().fallback + ")");
    }

    std::string argument_list() const {
        std::string all;
        for (const auto& a : arguments_)
            all += (all.empty() ? "\n    " : ",\n    ") + statement::quoted(identifier(a.name)) + " " + a.type +
                   " DEFAULT " + a.fallback;
        return all;
    }

    static std::string joined(const std::vector<std::string>& all, std::string_view between) {
        std::string text;
        for (const auto& one : all) text += (text.empty() ? "" : std::string{between}) + one;
        return text;
    }

    // What the entrypoint's policies store with its jobs. Headers that the caller gives go before.
    static std::string own_headers() {
        backoff_header<typename Composition::template backoff_of<Job>> stored;
        const enqueue_options none;
        const enqueue_options packed = stored.add_to(none);
        std::string pairs;
        for (const header& h : packed.headers)
            pairs += (pairs.empty() ? "" : ", ") + sql::literal(h.name) + ", " + sql::literal(h.value);
        return pairs.empty() ? "" : "jsonb_build_object(" + pairs + ")";
    }

    std::string option(std::size_t i) const { return "$" + std::to_string(first_option_ + i); }
    // Null is the moment that the setting of the job type names.
    static std::string when_without(const std::string& run_at) {
        if constexpr (!settings::template has<delay_tag>) return run_at;
        else {
            constexpr duration later = settings::template setting<delay_tag>::value;
            const auto micros = std::chrono::ceil<std::chrono::microseconds>(later).count();
            return "coalesce(" + run_at + ", clock_timestamp() + " + std::to_string(micros) +
                   " * interval '1 microsecond')";
        }
    }
    // The headers of the policies, then those of the caller, which go before them.
    std::string headers() const {
        const std::string own = own_headers(), given = option(3);
        return own.empty() ? given : own + " || coalesce(" + given + ", '{}')";
    }
    std::string store_settings() const {
        const std::string attempts = option(4), timeout = option(5);
        return "    IF " + attempts + " IS NOT NULL OR " + timeout + " IS NOT NULL THEN\n        IF " + attempts +
               " NOT BETWEEN 1 AND 32767 THEN\n            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = "
               "'max_attempts: expected an integer from 1 to 32767';\n        END IF;\n        IF " +
               timeout + " <= interval '0' OR " + timeout +
               " > interval '2562000 hours' THEN\n            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = "
               "'timeout: expected a time above zero, and below 292 years';\n        END IF;\n"
               "        kept := coalesce(kept, '{}') || jsonb_strip_nulls(jsonb_build_object(" +
               sql::literal(max_attempts_header) + ", " + attempts + "::text, " + sql::literal(timeout_header) +
               ",\n            (extract(epoch FROM " + timeout + ") * 1000000)::int8 || 'us'));\n    END IF;\n";
    }

    std::string body() {
        using sql::literal;
        json_shapes shapes{required_};
        (void)shapes.template of<Job>();
        const std::string priority = option(0), run_at = when_without(option(1)), expected_at = option(2);
        const auto lane = Composition::lanes[Composition::template lane_of<Job>].name;
        std::string text =
            "\nDECLARE\n    given jsonb := $1;\n    body bytea;\n    kept jsonb := " + headers() + ";\nBEGIN\n";
        if (has_members || members_of<Job>::size == 0) {
            text += "    IF given = '\"members\"' THEN\n        given := '{}'::jsonb";
            for (const auto& one : built_) text += "\n            || " + one;
            text += ";\n";
            if (!given_.empty())
                text += "    ELSIF " + joined(given_, "\n       OR ") +
                        " THEN\n        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'both a payload and members "
                        "of it',\n"
                        "            HINT = 'give one of them: a jsonb as the first argument, or members by their "
                        "names';\n";
            text += "    END IF;\n";
        }
        text += "    body := convert_to(" + rendered("{f}.") + "pgq_json_text(" + literal(shapes.text()) +
                ", '0', given, '$', " + std::to_string(json_type::options.max_depth) + "), 'UTF8');\n";
        const std::size_t most = std::min(json_type::options.max_bytes, settings_.max_payload);
        text += "    IF octet_length(body) > " + std::to_string(most) +
                " THEN\n        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'the payload has more than " +
                std::to_string(most) +
                " bytes',\n            HINT = 'store the data elsewhere and enqueue its address';\n    END IF;\n";
        text += store_settings() + "    RETURN " + rendered("{f}.") + "enqueue(" + literal(settings_.queue) + ", " +
                literal(entrypoint_of<Job>) + ", " + literal(lane.version) + ", body,\n        " + priority + ", " +
                run_at + ", " + expected_at + ", kept, " + key_ + ");\nEND ";
        return text;
    }

    function_settings settings_;
    bool required_;
    std::string key_;
    std::vector<std::string> taken_;
    std::vector<argument> arguments_;
    std::vector<std::string> built_;
    std::vector<std::string> given_;
    std::size_t first_option_ = 0;
};

}  // namespace pgq::detail::sql
