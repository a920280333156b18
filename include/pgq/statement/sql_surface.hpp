#pragma once

#include <pgq/statement/query.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// The fixed part of what `emit_sql` writes: the functions that the functions of the entrypoints call. `{j}` stands for
/// the quoted schema of the jobs, `{f}` for the schema of the functions, `{jl}` and `{fl}` for the same as literals,
/// `{id}` for the sequence of ids as a literal.
namespace pgq::statement {

/// The version of the emitted functions. It goes up when a function changes its arguments or its meaning.
inline constexpr int sql_surface_version = 1;

/// A literal that does not depend on `standard_conforming_strings`.
inline std::string literal(std::string_view text) {
    std::string out;
    const bool escapes = text.find('\\') != std::string_view::npos;
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    return (escapes ? "E'" : "'") + out + "'";
}

/// FNV-1a of a text in 16 hexadecimal digits.
inline std::string digest(std::string_view text) {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    std::string out(16, '0');
    for (std::size_t i = 0; i < 16; ++i) out[i] = "0123456789abcdef"[(hash >> (60 - 4 * i)) & 15u];
    return out;
}

/// `body` between dollar quotes that do not occur in it.
inline std::string dollar_quoted(std::string_view body) {
    std::string tag = "$pgq$";
    for (int i = 1; body.find(tag) != std::string_view::npos; ++i) tag = "$pgq" + std::to_string(i) + "$";
    return tag + std::string{body} + tag;
}

struct surface_schemas {
    std::string_view jobs;
    std::string_view functions;
};

inline std::string render(std::string_view text, const surface_schemas& s) {
    std::string out;
    for (std::size_t at = 0;;) {
        const std::size_t hit = text.find('{', at);
        out += text.substr(at, hit - at);
        if (hit == std::string_view::npos) return out;
        const auto close = text.find('}', hit);
        const auto key = text.substr(hit, close - hit + 1);
        at = hit + key.size();
        if (key == "{j}") out += quoted(s.jobs);
        else if (key == "{f}") out += quoted(s.functions);
        else if (key == "{jl}") out += literal(quoted(s.jobs));
        else if (key == "{fl}") out += literal(quoted(s.functions));
        else if (key == "{id}") out += literal(quoted(s.jobs) + ".job_id");
        else {
            out += '{';
            at = hit + 1;
        }
    }
}

/// Enqueues a job whose body is not checked. The job exists when the caller's transaction commits.
inline constexpr std::string_view sql_enqueue = R"(
DECLARE
    of_lane int4;
    new_id int8;
    own jsonb;
    order_rank int8;
    name text;
    space int8;
BEGIN
    IF $1 IS NULL OR octet_length($1) NOT BETWEEN 1 AND 255 OR $2 IS NULL OR octet_length($2) NOT BETWEEN 1 AND 255 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'the name of a queue or an entrypoint has not 1 to 255 bytes';
    END IF;
    IF $4 IS NULL THEN RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'the body is null'; END IF;
    IF $5 IS NULL OR $5 NOT BETWEEN -32768 AND 32767 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'priority: expected an integer from -32768 to 32767';
    END IF;
    IF octet_length($9) > 2048 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'the key has more than 2048 bytes', HINT = 'go by a digest of it';
    END IF;
    IF jsonb_typeof($8) <> 'object' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'headers: expected an object',
                              HINT = 'write names and texts: ''{"tenant": "a"}''';
    END IF;
    IF $8 IS NOT NULL THEN
        SELECT h.key INTO name FROM jsonb_each($8) h WHERE jsonb_typeof(h.value) <> 'string' LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION USING ERRCODE = '22023', HINT = 'headers are text: write it as a string',
                MESSAGE = format('headers.%s: expected a string', regexp_replace(left(name, 64), '[^ -~]', '?', 'g'));
        END IF;
        own := nullif($8, '{}');
    END IF;

    SELECT l.id INTO of_lane FROM {j}.lane l
     WHERE l.queue = $1 AND l.entrypoint = $2 AND l.version = coalesce($3, '');
    IF NOT FOUND THEN
        INSERT INTO {j}.lane (queue, entrypoint, version) VALUES ($1, $2, coalesce($3, '')) ON CONFLICT DO NOTHING;
        SELECT l.id INTO STRICT of_lane FROM {j}.lane l
         WHERE l.queue = $1 AND l.entrypoint = $2 AND l.version = coalesce($3, '');
    END IF;

    order_rank := ((~ $5)::int8 << 48) | CASE
        WHEN $7 IS NULL OR $7 = 'infinity' THEN 281474976710655
        WHEN $7 = '-infinity' THEN 0
        ELSE greatest(0, least(281474976710654, floor(extract(epoch FROM $7) * 1000)))::int8 END;
    new_id := nextval({id});
    IF $6 > clock_timestamp() THEN
        INSERT INTO {j}.deferred (run_at, kind, id, lane, rank, headers, key, body)
        VALUES ($6, 'd', new_id, of_lane, order_rank, own, $9, $4);
    ELSE
        INSERT INTO {j}.ready (id, lane, rank, headers, key, body)
        VALUES (new_id, of_lane, order_rank, own, $9, $4);
    END IF;
    -- Workers receive this when the transaction commits; PostgreSQL sends equal ones once. They use a signed number.
    space := to_regnamespace({jl})::oid::int8;
    PERFORM pg_notify('pgq_' || (space - (space >> 31 << 32)), of_lane::text);
    RETURN new_id;
END )";

/// Checks a value against the shape of a job type, and writes it as serializer::json does. A shape is a text
/// ("bool", "string", "bytes", "float4", "float8", "null", "any"), the number of a struct in `shapes`, or an array:
/// ["int", least, most], ["optional", shape], ["list", shape], ["list", shape, size], ["tuple", shapes...], ["map",
/// shape], ["variant", shapes...], ["struct", [name, shape, required]...].
inline constexpr std::string_view sql_json_text = R"(
DECLARE
    kind text := CASE jsonb_typeof(shape) WHEN 'array' THEN shape ->> 0 ELSE shape #>> '{}' END;
    found text := coalesce(jsonb_typeof(value), 'null');
    n numeric;
    wanted text;
    problem text;
    remedy text;
    place text := '';
    part text;
    parts text[] := '{}';
    entry jsonb;
    name text;
    known int := 0;
    i int := 0;
BEGIN
    IF jsonb_typeof(shape) = 'number' THEN
        shape := shapes -> kind::int;
        kind := shape ->> 0;
    END IF;
    IF kind = 'optional' THEN
        IF found = 'null' THEN RETURN 'null'; END IF;
        RETURN {f}.pgq_json_text(shapes, shape -> 1, value, path, depth);
    END IF;

    IF kind = 'string' THEN
        IF found = 'string' THEN RETURN value::text; END IF;
        wanted := 'a string';
    ELSIF kind = 'bool' THEN
        IF found = 'boolean' THEN RETURN value::text; END IF;
        wanted := 'a boolean';
    ELSIF kind = 'int' THEN
        IF found = 'number' THEN
            n := (value #>> '{}')::numeric;
            IF n = trunc(n) AND n BETWEEN (shape ->> 1)::numeric AND (shape ->> 2)::numeric THEN
                RETURN trunc(n)::text;
            END IF;
            problem := CASE WHEN n = trunc(n) THEN 'the number does not fit' ELSE 'expected an integer without fraction' END;
            remedy := format('from %s to %s', shape ->> 1, shape ->> 2);
        END IF;
        wanted := 'an integer';
    ELSIF kind IN ('float4', 'float8') THEN
        IF found = 'string' AND value #>> '{}' IN ('NaN', 'Infinity', '-Infinity') THEN RETURN value::text; END IF;
        IF found = 'number' THEN
            BEGIN
                IF kind = 'float4' THEN RETURN (value #>> '{}')::float4::text; END IF;
                RETURN (value #>> '{}')::float8::text;
            EXCEPTION WHEN numeric_value_out_of_range THEN problem := 'the number does not fit';
            END;
        END IF;
        wanted := 'a number, "NaN", "Infinity" or "-Infinity"';
    ELSIF kind = 'bytes' THEN
        wanted := 'base 64 text';
        IF found = 'string' THEN
            part := value #>> '{}';
            IF part ~ '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'
               AND translate(encode(decode(part, 'base64'), 'base64'), E'\n', '') = part THEN
                RETURN value::text;
            END IF;
            problem := 'expected base 64 text';
            remedy := 'with padding and without line breaks: translate(encode(bytes, ''base64''), E''\n'', '''')';
        END IF;
    ELSIF kind = 'null' THEN
        IF found = 'null' THEN RETURN 'null'; END IF;
        wanted := 'null';
    ELSIF kind = 'any' THEN
        RETURN coalesce(value, 'null')::text;
    ELSIF depth < 1 THEN
        problem := 'nested too deeply';
        remedy := 'nest less, or raise json_options::max_depth';
    ELSIF kind IN ('list', 'tuple', 'variant') THEN
        wanted := 'an array';
        IF found = 'array' THEN
            n := CASE kind WHEN 'list' THEN (shape ->> 2)::int WHEN 'tuple' THEN jsonb_array_length(shape) - 1 ELSE 2 END;
            IF jsonb_array_length(value) <> n THEN
                problem := format('expected %s elements', n);
            ELSIF kind = 'variant' THEN
                part := {f}.pgq_json_text(shapes, jsonb_build_array('int', 0, 9223372036854775807), value -> 0,
                                          path || '.0', depth - 1);
                IF part::int8 < jsonb_array_length(shape) - 1 THEN
                    RETURN '[' || part || ',' || {f}.pgq_json_text(shapes, shape -> (part::int + 1), value -> 1,
                                                                   path || '.1', depth - 1) || ']';
                END IF;
                place := '.0';
                problem := 'no alternative of the variant has this index';
            ELSE
                FOR entry IN SELECT e.m FROM jsonb_array_elements(value) e(m) LOOP
                    parts := parts || {f}.pgq_json_text(
                        shapes, shape -> CASE kind WHEN 'tuple' THEN i + 1 ELSE 1 END, entry, path || '.' || i, depth - 1);
                    i := i + 1;
                END LOOP;
                RETURN '[' || array_to_string(parts, ',') || ']';
            END IF;
        END IF;
    ELSIF kind = 'map' THEN
        wanted := 'an object';
        IF found = 'object' THEN
            FOR name, entry IN SELECT e.key, e.value FROM jsonb_each(value) e LOOP
                parts := parts || (to_json(name)::text || ':' ||
                    {f}.pgq_json_text(shapes, shape -> 1, entry, path || '.' || i, depth - 1));
                i := i + 1;
            END LOOP;
            RETURN '{' || array_to_string(parts, ',') || '}';
        END IF;
    ELSE
        wanted := 'an object';
        IF found = 'object' THEN
            FOR entry IN SELECT e.m FROM jsonb_array_elements(shape) WITH ORDINALITY e(m, o) WHERE e.o > 1 LOOP
                name := entry ->> 0;
                IF value ? name THEN
                    known := known + 1;
                    parts := parts || (to_json(name)::text || ':' ||
                        {f}.pgq_json_text(shapes, entry -> 1, value -> name, path || '.' || name, depth - 1));
                ELSIF (entry ->> 2)::bool THEN
                    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s.%s: the payload lacks it', path, name),
                                          HINT = 'give it: this function lets no member out that is not optional';
                END IF;
            END LOOP;
            IF known = (SELECT count(*) FROM jsonb_object_keys(value)) THEN
                RETURN '{' || array_to_string(parts, ',') || '}';
            END IF;
            SELECT string_agg(e.m ->> 0, ', ' ORDER BY e.o) INTO remedy
              FROM jsonb_array_elements(shape) WITH ORDINALITY e(m, o) WHERE e.o > 1;
            SELECT k INTO name FROM jsonb_object_keys(value) k
             WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(shape) WITH ORDINALITY e(m, o)
                                WHERE e.o > 1 AND e.m ->> 0 = k) LIMIT 1;
            place := '.' || regexp_replace(left(name, 64), '[^ -~]', '?', 'g');
            problem := 'the job type has no such member';
            remedy := 'its members are: ' || coalesce(remedy, 'none');
        END IF;
    END IF;
    RAISE EXCEPTION USING ERRCODE = '22023',
        MESSAGE = format('%s%s: %s', path, place, coalesce(problem, format('expected %s, found %s', wanted,
            CASE found WHEN 'null' THEN 'null' WHEN 'array' THEN 'an array' WHEN 'object' THEN 'an object' ELSE 'a ' || found END))),
        HINT = coalesce(remedy, 'write what the job type reads, see docs/serializer/json.md');
END )";

/// A duration or a moment as a number of ticks of `num`/`den` seconds. Null stays null.
inline constexpr std::string_view sql_ticks = R"(
DECLARE
    n numeric;
BEGIN
    IF extract(month FROM span) <> 0 OR extract(year FROM span) <> 0 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = path || ': a month has no length of its own',
                              HINT = 'write it in days, hours or seconds';
    END IF;
    n := extract(epoch FROM span) * den / num;
    IF n <> trunc(n) THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = path || ': finer than the job type counts',
                              HINT = format('it counts %s/%s seconds: round it', num, den);
    END IF;
    RETURN to_jsonb(trunc(n));
END )";

}  // namespace pgq::statement
