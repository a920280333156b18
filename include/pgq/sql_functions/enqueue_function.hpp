#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <string_view>

namespace pgq::detail::sql {

/// The body of `enqueue`: enqueues bytes without checking them, in the caller's transaction. The functions of the
/// entrypoints call it.
inline constexpr std::string_view enqueue_body = R"(
DECLARE
    of_lane int4;
    new_id int8;
    own jsonb;
    order_rank int8;
    name text;
    schema_id int8;
BEGIN
    IF $1 IS NULL OR octet_length($1) NOT BETWEEN 1 AND 255 OR $2 IS NULL OR octet_length($2) NOT BETWEEN 1 AND 255 THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
                              MESSAGE = 'the name of a queue or an entrypoint has not 1 to 255 bytes';
    END IF;
    IF $4 IS NULL THEN RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'the body is null'; END IF;
    IF $5 IS NULL OR $5 NOT BETWEEN -32768 AND 32767 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'priority: expected an integer from -32768 to 32767';
    END IF;
    IF $6 IN ('infinity', '-infinity') THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'run_at: expected a moment, found ' || $6,
                              HINT = 'a job cannot wait for ever: hold it back in your program';
    END IF;
    IF octet_length($9) > 2048 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'the key has more than 2048 bytes',
                              HINT = 'use a digest of it as the key';
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
        WITH added AS (INSERT INTO {j}.lane (queue, entrypoint, version) VALUES ($1, $2, coalesce($3, ''))
                       ON CONFLICT DO NOTHING RETURNING id)
        INSERT INTO {j}.claim_slot (lane, number) SELECT a.id, n FROM added a, generate_series(1, 4) n
            ON CONFLICT DO NOTHING;
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
        VALUES ($6, 'd', new_id, {j}.open_lane(of_lane), order_rank, own, $9, $4);
    ELSE
        INSERT INTO {j}.ready (id, lane, rank, headers, key, body)
        VALUES (new_id, {j}.open_lane(of_lane), order_rank, own, $9, $4);
    END IF;
    -- The workers receive it when the transaction commits; PostgreSQL sends equal notifications once. The workers read
    -- the schema as a signed number.
    schema_id := to_regnamespace({jl})::oid::int8;
    PERFORM pg_notify('pgq_' || (schema_id - (schema_id >> 31 << 32)), of_lane::text);
    RETURN new_id;
END )";

}  // namespace pgq::detail::sql
