#pragma once

#include <pgq/client/stored_options.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/concept/limiter.hpp>
#include <pgq/job/key.hpp>
#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/json_parameter.hpp>
#include <pgq/serializer/json_shape.hpp>
#include <pgq/serializer/versioned.hpp>
#include <pgq/statement/sql_surface.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The JSON that a serializer comes down to; void when it is another format.
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

/// One finished function, and what the script around it has to know.
struct sql_function_text {
    std::string name{};
    std::string owner{};      ///< what it is made for: another with this name is somebody else's
    std::string signature{};  ///< changes with the arguments
    std::string about{};      ///< for people
    std::string create{};     ///< with {j} and {f} filled in
};

struct sql_function_settings {
    statement::surface_schemas schemas;
    std::string_view queue;
    std::string_view prefix;
    bool require_members = false;
    std::size_t max_payload = 0;
};

inline constexpr std::size_t max_identifier_bytes = 63;

/// A name that PostgreSQL would cut is cut here, between two characters, and told apart by a digest of the whole.
inline std::string sql_identifier(std::string_view name) {
    if (name.size() <= max_identifier_bytes) return std::string{name};
    constexpr std::size_t room = max_identifier_bytes - 17;
    std::size_t cut = room;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0u) == 0x80u) --cut;
    return std::string{name.substr(0, cut)} + "_" + statement::digest(name);
}

template <auto Member, class Job, class M>
bool is_that_member(const Job& job) {
    if constexpr (std::is_member_object_pointer_v<decltype(Member)>) {
        const auto& found = std::invoke(Member, job);
        if constexpr (std::same_as<std::remove_cvref_t<decltype(found)>, typename M::type>)
            return &found == &M::get(job);
    }
    return false;
}

/// The SQL of a member's text as a key, as `append_key` writes it; empty for members whose JSON is something else.
template <class T>
std::string sql_key_of(const std::string& text) {
    namespace json = serializer::detail;
    if constexpr (json::says_what_it_writes<T>) return {};
    else if constexpr (std::same_as<T, std::string>) return text;
    else if constexpr (std::same_as<T, bool>) return "(" + text + ")::bool::int::text";
    else if constexpr (json::own_enum<T>) return sql_key_of<std::underlying_type_t<T>>(text);
    else if constexpr (json::json_integer<T>) return "trunc((" + text + ")::numeric)::text";
    else return {};
}

template <class Limiter>
struct key_member {
    static constexpr bool is_known = !requires { requires Limiter::is_keyed; };
    template <class Job>
    static std::string expression() {
        return is_known ? "NULL" : "";
    }
};
template <auto Member, std::int32_t Most>
struct key_member<limiter::concurrency_by<Member, Most>> {
    template <class Job>
    static std::string expression() {
        return search<Job>(members_of<Job>{});
    }

private:
    template <class Job, class... Ms>
    static std::string search(type_list<Ms...>) {
        const Job job{};
        std::string found;
        ((is_that_member<Member, Job, Ms>(job) ? void(found = of<Job, Ms>(job)) : void()), ...);
        return found;
    }
    // A payload without the member is the job type's default.
    template <class Job, class M>
    static std::string of(const Job& job) {
        const std::string there = sql_key_of<typename M::type>("given ->> " + statement::literal(M::name));
        if (there.empty()) return {};
        std::string absent;
        append_key(std::invoke(Member, job), absent);
        return "coalesce(" + there + ", " + statement::literal(absent) + ")";
    }
};
template <class... Limiters>
struct key_member<limiter::all_of<Limiters...>> {
    template <class Job>
    static std::string expression() {
        std::string found = "NULL";
        const auto look = [&](std::string one) {
            if (one != "NULL") found = std::move(one);
        };
        (look(key_member<Limiters>::template expression<Job>()), ...);
        return found;
    }
};

/// The function of one entrypoint.
template <class Composition, class Job>
class sql_function {
    using json_type = plain_json_t<typename Composition::template serializer_of<Job>>;
    using limiter_type = typename Composition::template limiter_of<Job>;

    static constexpr std::size_t most_arguments = 100;  // of PostgreSQL
    static constexpr std::size_t options = 5;           // payload, priority, run_at, expected_at, headers
    static constexpr bool has_members = members_of<Job>::size + options <= most_arguments;

public:
    explicit sql_function(const sql_function_settings& s)
        : settings_{s}, required_{s.require_members || json_type::options.missing == serializer::if_missing::fail} {}

    static std::string name(std::string_view prefix) {
        return sql_identifier(std::string{prefix} + std::string{entrypoint_of<Job>});
    }

    /// None when the key of a job's limit is computed by the program and cannot be here.
    std::optional<sql_function_text> text() {
        key_ = key_member<limiter_type>::template expression<Job>();
        if (key_.empty()) return {};
        add_members(members_of<Job>{});
        const std::string arguments = argument_list();
        const std::string named = name(settings_.prefix);
        return sql_function_text{
            .name = named,
            .owner = statement::digest(std::string{settings_.schemas.jobs} + '\n' + std::string{settings_.queue} +
                                       '\n' + std::string{entrypoint_of<Job>}),
            .signature = statement::digest(arguments),
            .about = "enqueues jobs of one entrypoint",
            .create = "CREATE OR REPLACE FUNCTION " + rendered("{f}.") + statement::quoted(named) + "(" + arguments +
                      ")\nRETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER"
                      " SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS " +
                      statement::dollar_quoted(body()) + ";\n"};
    }

private:
    struct argument {
        std::string name;
        std::string type;
        std::string fallback;
    };

    std::string rendered(std::string_view text) const { return statement::render(text, settings_.schemas); }

    template <class... Ms>
    void add_members(type_list<Ms...>) {
        taken_ = {std::string{Ms::name}...};
        arguments_.push_back({option_name("payload"), "jsonb", "'\"members\"'"});
        if constexpr (has_members) {
            const Job job{};
            (add_member<Ms>(job), ...);
        }
        first_option_ = arguments_.size() + 1;
        arguments_.push_back({option_name("priority"), "integer", "0"});
        arguments_.push_back({option_name("run_at"), "timestamptz", "NULL"});
        arguments_.push_back({option_name("expected_at"), "timestamptz", "NULL"});
        arguments_.push_back({option_name("headers"), "jsonb", "NULL"});
    }

    // A member of the same name goes before.
    std::string option_name(std::string name) const {
        while (std::find(taken_.begin(), taken_.end(), name) != taken_.end()) name = "job_" + name;
        return name;
    }

    template <class M>
    void add_member(const Job& job) {
        using parameter = serializer::sql_parameter<typename M::type>;
        const std::string place = "$" + std::to_string(arguments_.size() + 1);
        const bool optional = serializer::detail::is_optional<typename M::type>;
        const bool needed = required_ && !optional;
        const auto fallback = needed ? std::optional<std::string>{} : parameter::literal(M::get(job));
        const std::string json_form = rendered(parameter::json(place, "$." + std::string{M::name}));
        const std::string entry = "jsonb_build_object(" + statement::literal(M::name) + ", " + json_form + ")";
        // Without a default in SQL, null stands for that of the job type, or for nothing at all.
        built_.push_back(fallback || optional ? entry
                                              : "CASE WHEN " + place + " IS NULL THEN '{}' ELSE " + entry + " END");
        arguments_.push_back({std::string{M::name}, std::string{parameter::type}, fallback.value_or("NULL")});
        given_.push_back(place + " IS DISTINCT FROM " + "(" + arguments_.back().fallback + ")");
    }

    std::string argument_list() const {
        std::string all;
        for (const auto& a : arguments_)
            all += (all.empty() ? "\n    " : ",\n    ") + statement::quoted(sql_identifier(a.name)) + " " + a.type +
                   " DEFAULT " + a.fallback;
        return all;
    }

    static std::string joined(const std::vector<std::string>& all, std::string_view between) {
        std::string text;
        for (const auto& one : all) text += (text.empty() ? "" : std::string{between}) + one;
        return text;
    }

    /// What the entrypoint's policies store with its jobs; headers that the caller gives go before.
    static std::string own_headers() {
        backoff_header<typename Composition::template backoff_of<Job>> stored;
        const enqueue_options none;
        const enqueue_options packed = stored.add_to(none);
        std::string pairs;
        for (const header& h : packed.headers)
            pairs += (pairs.empty() ? "" : ", ") + statement::literal(h.name) + ", " + statement::literal(h.value);
        return pairs.empty() ? "" : "jsonb_build_object(" + pairs + ")";
    }

    std::string body() {
        using statement::literal;
        serializer::json_shapes shapes{required_};
        (void)shapes.template of<Job>();
        const std::string priority = "$" + std::to_string(first_option_),
                          run_at = "$" + std::to_string(first_option_ + 1),
                          expected_at = "$" + std::to_string(first_option_ + 2),
                          headers = "$" + std::to_string(first_option_ + 3);
        const std::string own = own_headers();
        const auto lane = Composition::lanes[Composition::template lane_of<Job>].name;
        std::string text = "\nDECLARE\n    given jsonb := $1;\n    body bytea;\nBEGIN\n";
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
        text += "    RETURN " + rendered("{f}.") + "enqueue(" + literal(settings_.queue) + ", " +
                literal(entrypoint_of<Job>) + ", " + literal(lane.version) + ", body,\n        " + priority + ", " +
                run_at + ", " + expected_at + ", " +
                (own.empty() ? headers : own + " || coalesce(" + headers + ", '{}')") + ", " + key_ + ");\nEND ";
        return text;
    }

    sql_function_settings settings_;
    bool required_;
    std::string key_;
    std::vector<std::string> taken_;
    std::vector<argument> arguments_;
    std::vector<std::string> built_;
    std::vector<std::string> given_;
    std::size_t first_option_ = 0;
};

}  // namespace pgq::detail
