#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <string_view>

// The functions in the database that check payloads.
namespace pgq::detail::sql {

/// The body of `pgq_json_text`: checks a value against the shape of a job type (see json_shapes), and writes it as
/// serializer::json does. A shape is a text ("bool", "string", "bytes", "float4", "float8", "null", "any"), the number
/// of a struct in `shapes`, or an array: ["int", least, most], ["optional", shape], ["list", shape], ["list", shape,
/// size], ["tuple", shapes...], ["map", shape], ["variant", shapes...], ["struct", [name, shape, required]...].
inline constexpr std::string_view json_text_body = R"(
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
            problem := CASE WHEN n = trunc(n) THEN 'the number does not fit'
                       ELSE 'expected an integer without fraction' END;
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
            n := CASE kind WHEN 'list' THEN (shape ->> 2)::int WHEN 'tuple' THEN jsonb_array_length(shape) - 1
                 ELSE 2 END;
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
                        shapes, shape -> CASE kind WHEN 'tuple' THEN i + 1 ELSE 1 END, entry, path || '.' || i,
                        depth - 1);
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
                    RAISE EXCEPTION USING ERRCODE = '22023',
                                          MESSAGE = format('%s.%s: the payload lacks it', path, name),
                                          HINT = 'give it: this function requires all members that are not optional';
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
            CASE found WHEN 'null' THEN 'null' WHEN 'array' THEN 'an array' WHEN 'object' THEN 'an object'
            ELSE 'a ' || found END))),
        HINT = coalesce(remedy, 'write what the job type reads, see docs/reference/serializers/json.md');
END )";

/// The body of `pgq_ticks`: a duration or a moment as a count of `num`/`den` seconds, as jsonb. Null stays null.
inline constexpr std::string_view ticks_body = R"(
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

}  // namespace pgq::detail::sql
