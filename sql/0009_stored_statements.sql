-- The statements of a worker as functions, for sessions that cannot prepare statements.
-- Written by tools/scripts/generate_stored_statements.sh from include/pgq/statement/: change those.

CREATE FUNCTION :"schema".stored_make_session_settings(int4, bool, text)
RETURNS TABLE (c1 int4)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY SELECT CASE WHEN $1 = 0 OR pg_catalog.pg_backend_pid() = $1 THEN pg_catalog.num_nulls(
       pg_catalog.set_config('default_transaction_isolation', 'read committed', $2),
       pg_catalog.set_config('default_transaction_deferrable', 'off', $2),
       pg_catalog.set_config('standard_conforming_strings', 'on', $2),
       pg_catalog.set_config('transform_null_equals', 'off', $2),
       pg_catalog.set_config('array_nulls', 'on', $2), pg_catalog.set_config('statement_timeout', $3, $2),
       pg_catalog.set_config('lock_timeout', '0', $2),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', $2),
       pg_catalog.set_config('client_min_messages', 'warning', $2),
       pg_catalog.set_config('row_security', 'on', $2),
       pg_catalog.set_config('plan_cache_mode', 'auto', $2), pg_catalog.set_config('jit', 'off', $2),
       pg_catalog.set_config('from_collapse_limit', '8', $2),
       pg_catalog.set_config('join_collapse_limit', '8', $2),
       pg_catalog.set_config('enable_seqscan', 'on', $2), pg_catalog.set_config('enable_indexscan', 'on', $2),
       pg_catalog.set_config('enable_indexonlyscan', 'on', $2),
       pg_catalog.set_config('enable_bitmapscan', 'on', $2),
       pg_catalog.set_config('enable_tidscan', 'on', $2), pg_catalog.set_config('enable_nestloop', 'on', $2),
       pg_catalog.set_config('enable_hashjoin', 'on', $2), pg_catalog.set_config('enable_mergejoin', 'on', $2),
       pg_catalog.set_config('enable_hashagg', 'on', $2), pg_catalog.set_config('enable_sort', 'on', $2),
       pg_catalog.set_config('enable_material', 'on', $2),
       pg_catalog.set_config('search_path',
       pg_catalog.ltrim(pg_catalog.regexp_replace(pg_catalog.current_setting('search_path'),
           '(^|,) *"?pg_catalog"? *(?=,|$)', '', 'g'), ', '), $2),
       CASE WHEN pg_catalog.current_setting('enable_incremental_sort', true) <> 'on'
           THEN pg_catalog.set_config('enable_incremental_sort', 'on', $2) END,
       CASE WHEN pg_catalog.current_setting('enable_memoize', true) <> 'on'
           THEN pg_catalog.set_config('enable_memoize', 'on', $2) END,
       CASE WHEN pg_catalog.current_setting('idle_session_timeout', true) <> '0'
           THEN pg_catalog.set_config('idle_session_timeout', '0', $2) END,
       CASE WHEN pg_catalog.current_setting('transaction_timeout', true) <> '0'
           THEN pg_catalog.set_config('transaction_timeout', '0', $2) END,
       CASE WHEN $2 THEN pg_catalog.set_config('pgq.stateless', 'on', true) END) END;
END $$;

CREATE FUNCTION :"schema".stored_pin_plans(text, bool)
RETURNS TABLE (c1 text, c2 text, c3 text, c4 text, c5 text, c6 text)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT set_config('plan_cache_mode', 'force_generic_plan', $2), set_config('jit', 'off', $2),
       set_config('enable_seqscan', 'off', $2), set_config('enable_bitmapscan', 'off', $2),
       set_config('enable_hashjoin', 'on', $2), set_config('synchronous_commit', $1, $2);
END $$;

CREATE FUNCTION :"schema".stored_wake(int4, int4[])
RETURNS TABLE (c1 int8)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT CASE WHEN NOT pg_try_advisory_xact_lock($1, 0) THEN (
    SELECT count(pg_notify('pgq_' || $1::text || '_' || s.id::text, '')) FROM (
        SELECT DISTINCT s.id, set_config('synchronous_commit', 'off', true) FROM unnest((SELECT $2)) l(lane) CROSS JOIN LATERAL (
            SELECT w.id FROM (SELECT id FROM worker v WHERE l.lane = ANY (lanes) OR queue_prefix IS NOT NULL
                AND EXISTS (SELECT FROM lane a JOIN unnest(v.entrypoints, v.versions) u(entrypoint, version)
                                USING (entrypoint, version)
                             WHERE a.id = l.lane AND starts_with(a.queue, v.queue_prefix)
                               AND (v.queues IS NULL OR a.queue = ANY (v.queues))) ORDER BY random()) w
             WHERE NOT pg_try_advisory_xact_lock_shared($1, w.id) LIMIT 1) s) s) END;
END $$;

CREATE FUNCTION :"schema".stored_wake_all_collected(int4)
RETURNS TABLE (c1 int8)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH noted AS MATERIALIZED (SELECT current_setting('pgq.wake_lanes', true) AS lanes), forget AS MATERIALIZED (SELECT lanes, set_config('pgq.wake_lanes', '', current_setting('pgq.stateless', true) = 'on') FROM noted) SELECT count(pg_notify('pgq_' || $1::text, l.lane)) FROM (SELECT DISTINCT unnest(string_to_array(lanes, ',')) AS lane FROM forget) l WHERE l.lane <> '';
END $$;

CREATE FUNCTION :"schema".stored_finish(tid[], int8[], int8)
RETURNS TABLE (c1 int8[], c2 int8)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH l AS (
    DELETE FROM lease WHERE ctid = ANY ($1) AND id = ANY ($2) AND worker = $3
    RETURNING id, CASE WHEN flags IS NOT NULL THEN ROW(ids, attempts, flags, done)::lease_end END AS flagged)
SELECT array_agg(id), CASE WHEN count(flagged) > 0 THEN end_leases(array_agg(flagged)) END FROM l;
END $$;

CREATE FUNCTION :"schema".stored_mark(tid, int8, int8, bytea, bytea)
RETURNS TABLE (c1 int8, c2 tid)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY UPDATE lease SET done = $4
 WHERE ctid = $1 AND id = $2 AND worker = $3 AND done IS NOT DISTINCT FROM $5 AND flags IS NULL RETURNING id, ctid;
END $$;

CREATE FUNCTION :"schema".stored_mark_flagged(tid, int8, int8, bytea, bytea)
RETURNS TABLE (c1 int8, c2 tid)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY UPDATE lease SET done = $4
 WHERE ctid = $1 AND id = $2 AND worker = $3 AND done IS NOT DISTINCT FROM $5 RETURNING id, ctid;
END $$;

CREATE FUNCTION :"schema".stored_settle(tid, int8, int8, bytea, bytea, int8[], "char"[], int8[], text[])
RETURNS TABLE (c1 int8, c2 tid, c3 text)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH l AS (
    UPDATE lease e SET done = $4
      FROM (SELECT ctid AS place, done FROM lease
             WHERE ctid = $1 AND id = $2 AND worker = $3 AND done IS NOT DISTINCT FROM $5 AND flags IS NULL FOR UPDATE) o
     WHERE e.ctid = o.place RETURNING e.*, e.ctid AS place, o.done AS was),
item AS (
    SELECT j.id, j.rank, l.lane, CASE WHEN l.headers IS NOT NULL THEN l.headers[j.o] END AS headers, l.keys[j.o] AS key, j.enqueued_at, coalesce(j.body, '') AS body, NULL::int2 AS flags, k.kind, k.delay, k.reason,
           (CASE WHEN k.kind = 's' THEN greatest(j.attempts - 1, 0) ELSE j.attempts END)::int2 AS attempts
      FROM l CROSS JOIN LATERAL (
           SELECT u.id, coalesce(u.rank, l.ranks[1]) AS rank, coalesce(u.attempts, l.attempts[1]) AS attempts,
                  coalesce(u.enqueued_at, l.enqueued_at[1]) AS enqueued_at, u.body, u.o
             FROM unnest(l.ids, l.ranks, l.attempts, l.enqueued_at, l.bodies)
                      WITH ORDINALITY u(id, rank, attempts, enqueued_at, body, o)) j
      JOIN unnest($6, $7, $8, $9) k(o, kind, delay, reason)
        ON k.o = j.o AND (l.was IS NULL OR get_bit(l.was, j.o - 1) = 0)),
back AS (INSERT INTO ready (id, rank, enqueued_at, lane, attempts, flags, headers, key, body) SELECT id, rank, enqueued_at, lane, attempts, flags, headers, key, body FROM item WHERE kind IN ('r', 's') AND delay <= 0),
later AS (
    INSERT INTO deferred (run_at, kind, reason, id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
    SELECT CASE WHEN kind = 'h' THEN 'infinity' ELSE statement_timestamp() + delay * interval '1 microsecond' END,
           CASE WHEN kind = 's' THEN 'd' ELSE kind END, nullif(reason, ''), id, rank, enqueued_at, lane, attempts, flags, headers, key, body
      FROM item WHERE kind = 'h' OR kind IN ('r', 's') AND delay > 0),
failed AS (
    INSERT INTO failure (id, lane, attempt, reason)
    SELECT id, lane, attempts, reason FROM item i WHERE kind IN ('r', 'h') AND reason <> '' AND attempts > 0
       AND (SELECT a.keep_failures > '0' FROM lane a WHERE a.id = i.lane) IS NOT FALSE)
SELECT id, place, CASE WHEN EXISTS (SELECT FROM item WHERE kind IN ('r', 's')) THEN
       set_config('pgq.wake_lanes', concat_ws(',', nullif(current_setting('pgq.wake_lanes', true), ''), lane::text),
                  current_setting('pgq.stateless', true) = 'on') END FROM l;
END $$;

CREATE FUNCTION :"schema".stored_settle_flagged(tid, int8, int8, bytea, bytea, int8[], "char"[], int8[], text[], bytea[])
RETURNS TABLE (c1 int8, c2 tid, c3 text, c4 int8)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH l AS (
    UPDATE lease e SET done = $4
      FROM (SELECT ctid AS place, done FROM lease
             WHERE ctid = $1 AND id = $2 AND worker = $3 AND done IS NOT DISTINCT FROM $5 FOR UPDATE) o
     WHERE e.ctid = o.place RETURNING e.*, e.ctid AS place, o.done AS was),
item AS (
    SELECT j.id, j.rank, l.lane, CASE WHEN l.headers IS NOT NULL THEN l.headers[j.o] END AS headers, l.keys[j.o] AS key, j.enqueued_at, coalesce(j.body, '') AS body, (l.flags[j.o] & CASE WHEN k.kind IN ('s', 'e') THEN 125 ELSE 1 END)::int2 AS flags,
           CASE WHEN l.flags[j.o] & 2 <> 0 AND k.kind IN ('r', 's', 'e') THEN 'c'
                WHEN k.kind = 'e' THEN end_of_expired(j.id) ELSE k.kind END AS kind,
           k.delay, k.reason, k.result,
           (CASE WHEN k.kind IN ('s', 'e') THEN greatest(j.attempts - 1, 0) ELSE j.attempts END)::int2 AS attempts
      FROM l CROSS JOIN LATERAL (
           SELECT u.id, coalesce(u.rank, l.ranks[1]) AS rank, coalesce(u.attempts, l.attempts[1]) AS attempts,
                  coalesce(u.enqueued_at, l.enqueued_at[1]) AS enqueued_at, u.body, u.o
             FROM unnest(l.ids, l.ranks, l.attempts, l.enqueued_at, l.bodies)
                      WITH ORDINALITY u(id, rank, attempts, enqueued_at, body, o)) j
      JOIN unnest($6, $7, $8, $9, $10) k(o, kind, delay, reason, result)
        ON k.o = j.o AND (l.was IS NULL OR get_bit(l.was, j.o - 1) = 0)),
back AS (INSERT INTO ready (id, rank, enqueued_at, lane, attempts, flags, headers, key, body) SELECT id, rank, enqueued_at, lane, attempts, flags, headers, key, body FROM item WHERE kind IN ('r', 's') AND delay <= 0),
later AS (
    INSERT INTO deferred (run_at, kind, reason, id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
    SELECT CASE WHEN kind = 'h' THEN 'infinity' ELSE statement_timestamp() + delay * interval '1 microsecond' END,
           CASE WHEN kind = 's' THEN 'd' ELSE kind END, nullif(reason, ''), id, rank, enqueued_at, lane, attempts, flags, headers, key, body
      FROM item WHERE kind = 'h' OR kind IN ('r', 's') AND delay > 0),
failed AS (
    INSERT INTO failure (id, lane, attempt, reason)
    SELECT id, lane, attempts, reason FROM item i WHERE kind IN ('r', 'h') AND reason <> '' AND attempts > 0
       AND (SELECT a.keep_failures > '0' FROM lane a WHERE a.id = i.lane) IS NOT FALSE)
SELECT id, place, CASE WHEN EXISTS (SELECT FROM item WHERE kind IN ('r', 's')) THEN
       set_config('pgq.wake_lanes', concat_ws(',', nullif(current_setting('pgq.wake_lanes', true), ''), lane::text),
                  current_setting('pgq.stateless', true) = 'on') END,
       (SELECT end_tracked(array_agg(id), array_agg(kind), array_agg(attempts), array_agg(reason),
                                array_agg(result))
          FROM item WHERE flags & 1 <> 0 AND kind IN ('d', 'x', 'c', 'h', 'e') HAVING count(*) > 0) FROM l;
END $$;

CREATE FUNCTION :"schema".stored_settle_ends(tid[], int8[], int8, int8[], int4[], bool[], int4[], "char"[], int8[], text[], bytea[], bytea[])
RETURNS TABLE (c1 int8[], c2 text, c3 int8)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH l AS (
    DELETE FROM lease WHERE ctid = ANY ($1) AND id = ANY ($2) AND worker = $3 AND (flags IS NULL OR id = ANY ($4))
       AND done IS NOT DISTINCT FROM $12[array_position($2, id)]
    RETURNING id, lane, done, ids, ranks, attempts, flags, headers, keys, enqueued_at, $5[array_position($2, id)] AS start,
              CASE WHEN $6[array_position($2, id)] THEN bodies END AS bodies),
item AS (
    SELECT j.id, j.rank, l.lane, j.headers, j.key, j.enqueued_at, coalesce(j.body, '') AS body, (j.flags & CASE WHEN $8[n.n] IN ('s', 'e') THEN 125 ELSE 1 END)::int2 AS flags,
           CASE WHEN n.n = 0 THEN 'd' WHEN j.flags & 2 <> 0 AND $8[n.n] IN ('r', 's', 'e') THEN 'c'
                WHEN $8[n.n] = 'e' THEN end_of_expired(j.id) ELSE $8[n.n] END AS kind,
           $9[n.n] AS delay, $10[n.n] AS reason, $11[n.n] AS result,
           (CASE WHEN $8[n.n] IN ('s', 'e') THEN greatest(j.attempts - 1, 0) ELSE j.attempts END)::int2 AS attempts
      FROM l CROSS JOIN LATERAL (
           SELECT u.id, coalesce(u.rank, l.ranks[1]) AS rank, coalesce(u.attempts, l.attempts[1]) AS attempts,
                  coalesce(u.enqueued_at, l.enqueued_at[1]) AS enqueued_at, u.flags, u.headers, u.key, u.body, u.o
             FROM unnest(l.ids, l.ranks, l.attempts, l.enqueued_at, l.flags, l.headers, l.keys, l.bodies)
                      WITH ORDINALITY u(id, rank, attempts, enqueued_at, flags, headers, key, body, o)) j
     CROSS JOIN LATERAL (SELECT CASE WHEN l.start < 0 THEN 0 ELSE $7[(l.start + j.o)::int4] END AS n) n
     WHERE (l.done IS NULL OR get_bit(l.done, j.o - 1) = 0) AND (n.n > 0 OR j.flags & 1 <> 0)),
back AS (INSERT INTO ready (id, rank, enqueued_at, lane, attempts, flags, headers, key, body) SELECT id, rank, enqueued_at, lane, attempts, flags, headers, key, body FROM item WHERE kind IN ('r', 's') AND delay <= 0),
later AS (
    INSERT INTO deferred (run_at, kind, reason, id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
    SELECT CASE WHEN kind = 'h' THEN 'infinity' ELSE statement_timestamp() + delay * interval '1 microsecond' END,
           CASE WHEN kind = 's' THEN 'd' ELSE kind END, nullif(reason, ''), id, rank, enqueued_at, lane, attempts, flags, headers, key, body
      FROM item WHERE kind = 'h' OR kind IN ('r', 's') AND delay > 0),
failed AS (
    INSERT INTO failure (id, lane, attempt, reason)
    SELECT id, lane, attempts, reason FROM item i WHERE kind IN ('r', 'h') AND reason <> '' AND attempts > 0
       AND (SELECT a.keep_failures > '0' FROM lane a WHERE a.id = i.lane) IS NOT FALSE)
SELECT (SELECT array_agg(id) FROM l),
       (SELECT set_config('pgq.wake_lanes', concat_ws(',', nullif(current_setting('pgq.wake_lanes', true), ''),
                                                 string_agg(DISTINCT lane::text, ',')),
                          current_setting('pgq.stateless', true) = 'on')
          FROM item WHERE kind IN ('r', 's') HAVING count(*) > 0),
       (SELECT end_tracked(array_agg(id), array_agg(kind), array_agg(attempts), array_agg(reason),
                                array_agg(result))
          FROM item WHERE flags & 1 <> 0 AND kind IN ('d', 'x', 'c', 'h', 'e') HAVING count(*) > 0);
END $$;

CREATE FUNCTION :"schema".stored_promote(int8, int8, int8, int8)
RETURNS TABLE (c1 int8, c2 text, c3 int8, c4 int4[], c5 int8[], c6 int8[])
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH due AS (
    DELETE FROM deferred WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM deferred WHERE run_at >= CASE WHEN (
    statement_timestamp() >= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    AND statement_timestamp() < 'epoch'::timestamptz + $4 * interval '1 microsecond') THEN 'epoch'::timestamptz + $1 * interval '1 microsecond' ELSE '-infinity' END
           AND run_at <= statement_timestamp() AND run_at < 'infinity'
         ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED))
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body),
back AS (
    INSERT INTO ready (id, rank, enqueued_at, lane, attempts, flags, headers, key, body) SELECT id, rank, enqueued_at, lane, attempts, flags, headers, key, body FROM due ORDER BY lane, rank, id RETURNING lane, rank, id),
first AS (SELECT DISTINCT ON (lane) lane, rank, id FROM back ORDER BY lane, rank, id)
SELECT (SELECT count(*) FROM back),
       set_config('pgq.wake_lanes', concat_ws(',', nullif(current_setting('pgq.wake_lanes', true), ''),
                                              string_agg(lane::text, ',')),
                  current_setting('pgq.stateless', true) = 'on'),
       CASE WHEN (SELECT expires_at FROM tracked WHERE expires_at >= CASE WHEN (
    statement_timestamp() >= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    AND statement_timestamp() < 'epoch'::timestamptz + $4 * interval '1 microsecond') THEN 'epoch'::timestamptz + $2 * interval '1 microsecond' ELSE '-infinity' END
                         AND expires_at IS NOT NULL AND NOT held AND NOT overdue
                   ORDER BY expires_at LIMIT 1) <= clock_timestamp()
            THEN expire(CASE WHEN (
    statement_timestamp() >= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    AND statement_timestamp() < 'epoch'::timestamptz + $4 * interval '1 microsecond') THEN 'epoch'::timestamptz + $2 * interval '1 microsecond' ELSE '-infinity' END) END,
       array_agg(lane), array_agg(rank), array_agg(id)
  FROM first;
END $$;

CREATE FUNCTION :"schema".stored_unpack(int4[], int8, bool)
RETURNS TABLE (c1 int8)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT CASE WHEN EXISTS (SELECT FROM pack WHERE lane = ANY ($1)) THEN unpack($1, $2, $3) ELSE 0 END;
END $$;

CREATE FUNCTION :"schema".stored_take_claim_slot(int4)
RETURNS TABLE (c1 text)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH RECURSIVE t(n, got) AS (
    SELECT 0, CASE WHEN pg_try_advisory_xact_lock($1, -1) THEN 1 WHEN pg_try_advisory_xact_lock($1, -2) THEN 2
                   WHEN pg_try_advisory_xact_lock($1, -3) THEN 3 WHEN pg_try_advisory_xact_lock($1, -4) THEN 4
                        ELSE 0 END
    UNION ALL
    SELECT n + 1, CASE WHEN pg_sleep(0.001 * 2 ^ least(n, 8)) IS NULL THEN 0
                       WHEN pg_try_advisory_xact_lock($1, -1) THEN 1 WHEN pg_try_advisory_xact_lock($1, -2) THEN 2
                       WHEN pg_try_advisory_xact_lock($1, -3) THEN 3 WHEN pg_try_advisory_xact_lock($1, -4) THEN 4
                           ELSE 0 END
      FROM t WHERE got = 0 AND n < 16)
SELECT set_config('pgq.claim_slot', max(got)::text, true) FROM t;
END $$;

CREATE FUNCTION :"schema".stored_claim_one(int4, int8, int8, int8, int8, int2, int8)
RETURNS TABLE (c1 int8, c2 tid, c3 int4, c4 int8[], c5 int8[], c6 int2[], c7 bytea[], c8 text[], c9 int2[], c10 timestamptz[], c11 int8[], c12 timestamptz, c13 bool, c14 int4)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH found AS MATERIALIZED (
    SELECT ARRAY(
        SELECT ctid FROM ready WHERE lane = $1 AND (rank, id) > ($2, $3) AND NOT is_paused($1)
         ORDER BY rank, id LIMIT $4 FOR UPDATE SKIP LOCKED) AS places),
size AS MATERIALIZED (
    SELECT CASE WHEN cardinality(places) > 1 AND $7 IS NOT NULL THEN pg_relation_size((
               SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = 'ready'::regclass)::regclass) > 0 END AS large
      FROM found),
got AS (
    DELETE FROM ready WHERE ctid = ANY ((
        SELECT CASE WHEN large IS NULL OR NOT large AND cardinality(places)::int8 * 2048 <= $7 THEN places ELSE fitting(places, $7) END FROM found, size)::tid[])
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, enqueued_at, bodies)
SELECT $5, $1, $6, a.ids,
       CASE WHEN a.low = a.high THEN ARRAY[a.low] ELSE (SELECT array_agg(rank) FROM got) END,
       CASE WHEN a.attempts > 0 THEN (SELECT array_agg((least(attempts, 32766) + 1)::int2) FROM got) ELSE ARRAY[1::int2] END,
       CASE WHEN a.flags > 0 THEN (SELECT array_agg(flags) FROM got) END,
       CASE WHEN a.headers > 0 THEN (SELECT array_agg(headers) FROM got) END,
       CASE WHEN a.keys > 0 THEN (SELECT array_agg(key) FROM got) END,
       CASE WHEN a.enqueued_at[1] = ALL (a.enqueued_at) THEN a.enqueued_at[1:1] ELSE a.enqueued_at END, a.bodies FROM (SELECT array_agg(id) AS ids, min(rank) AS low, max(rank) AS high,
               max(attempts) AS attempts, count(flags) AS flags, count(headers) AS headers, count(key) AS keys,
               array_agg(enqueued_at) AS enqueued_at, array_agg(body) AS bodies FROM got HAVING count(*) > 0) a
RETURNING id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END, CASE WHEN flags IS NOT NULL THEN expires_in(ids, attempts) END, claimed_at,
          (SELECT large FROM size), (SELECT cardinality(places) FROM found);
END $$;

CREATE FUNCTION :"schema".stored_claim_few(int4, int8, int8, int8, int8, int2)
RETURNS TABLE (c1 int8, c2 tid, c3 int4, c4 int8[], c5 int8[], c6 int2[], c7 bytea[], c8 text[], c9 int2[], c10 timestamptz[], c11 int8[], c12 timestamptz, c13 bool, c14 int4)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH got AS (
    DELETE FROM ready WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ready WHERE lane = $1 AND (rank, id) > ($2, $3) AND NOT is_paused($1)
         ORDER BY rank, id LIMIT $4 FOR UPDATE SKIP LOCKED))
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, enqueued_at, bodies)
SELECT $5, $1, $6, array_agg(g.id), array_agg(g.rank),
       array_agg((least(g.attempts, 32766) + 1)::int2),
       CASE WHEN count(g.flags) > 0 THEN array_agg(g.flags) END,
       CASE WHEN count(g.headers) > 0 THEN array_agg(g.headers) END,
       CASE WHEN count(g.key) > 0 THEN array_agg(g.key) END, array_agg(g.enqueued_at), array_agg(g.body) FROM got g HAVING count(*) > 0
RETURNING id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END, CASE WHEN flags IS NOT NULL THEN expires_in(ids, attempts) END, claimed_at, NULL::bool, cardinality(ids);
END $$;

CREATE FUNCTION :"schema".stored_claim_in_slot(int4, int8, int8, int8, int8, int2, bool, int8)
RETURNS TABLE (c1 int8, c2 tid, c3 int4, c4 int8[], c5 int8[], c6 int2[], c7 bytea[], c8 text[], c9 int2[], c10 timestamptz[], c11 int8[], c12 timestamptz, c13 bool, c14 int4)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH slot AS MATERIALIZED (
    SELECT number, rank, id FROM claim_slot WHERE lane = $1
        AND current_setting('pgq.claim_slot')::int2 IN (number, 0)
       AND NOT $7 AND (rank, id) > ($2, $3) ORDER BY rank, id LIMIT 1),
found AS MATERIALIZED (
    SELECT ARRAY(
        SELECT ctid FROM ready
         WHERE lane = $1
           AND (rank, id) > (coalesce((SELECT rank FROM slot), $2), coalesce((SELECT id FROM slot), $3)) AND NOT is_paused($1)
         ORDER BY rank, id LIMIT $4 FOR UPDATE SKIP LOCKED) AS places),
size AS MATERIALIZED (
    SELECT CASE WHEN cardinality(places) > 1 AND $8 IS NOT NULL THEN pg_relation_size((
               SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = 'ready'::regclass)::regclass) > 0 END AS large
      FROM found),
got AS (
    DELETE FROM ready WHERE ctid = ANY ((
        SELECT CASE WHEN large IS NULL OR NOT large AND cardinality(places)::int8 * 2048 <= $8 THEN places ELSE fitting(places, $8) END FROM found, size)::tid[])
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body),
last AS (
    UPDATE claim_slot t SET rank = g.rank, id = g.id
        FROM (SELECT rank, id FROM got ORDER BY rank DESC, id DESC LIMIT 1) g
     WHERE t.lane = $1 AND t.number = current_setting('pgq.claim_slot')::int2)
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, enqueued_at, bodies)
SELECT $5, $1, $6, a.ids,
       CASE WHEN a.low = a.high THEN ARRAY[a.low] ELSE (SELECT array_agg(rank) FROM got) END,
       CASE WHEN a.attempts > 0 THEN (SELECT array_agg((least(attempts, 32766) + 1)::int2) FROM got) ELSE ARRAY[1::int2] END,
       CASE WHEN a.flags > 0 THEN (SELECT array_agg(flags) FROM got) END,
       CASE WHEN a.headers > 0 THEN (SELECT array_agg(headers) FROM got) END,
       CASE WHEN a.keys > 0 THEN (SELECT array_agg(key) FROM got) END,
       CASE WHEN a.enqueued_at[1] = ALL (a.enqueued_at) THEN a.enqueued_at[1:1] ELSE a.enqueued_at END, a.bodies FROM (SELECT array_agg(id) AS ids, min(rank) AS low, max(rank) AS high,
               max(attempts) AS attempts, count(flags) AS flags, count(headers) AS headers, count(key) AS keys,
               array_agg(enqueued_at) AS enqueued_at, array_agg(body) AS bodies FROM got HAVING count(*) > 0) a
RETURNING id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END, CASE WHEN flags IS NOT NULL THEN expires_in(ids, attempts) END, claimed_at,
          (SELECT large FROM size), (SELECT cardinality(places) FROM found);
END $$;

CREATE FUNCTION :"schema".stored_claim_packed(int4, int8, int8, int8, int8, int2, int8)
RETURNS TABLE (c1 int8, c2 tid, c3 int4, c4 int8[], c5 int8[], c6 int2[], c7 bytea[], c8 text[], c9 int2[], c10 timestamptz[], c11 int8[], c12 timestamptz, c13 bool, c14 int4, c15 bool)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH one AS MATERIALIZED (
    SELECT rank, id FROM ready WHERE lane = $1 AND (rank, id) > ($2, $3) AND NOT is_paused($1) ORDER BY rank, id LIMIT $4),
many AS MATERIALIZED (
    SELECT rank, id, n, sum(n) OVER (ORDER BY rank, id) - n AS before
      FROM (SELECT rank, id, n FROM pack WHERE lane = $1 AND NOT is_paused($1) ORDER BY rank, id LIMIT $4 / 10 + 8) p),
share AS MATERIALIZED (
    SELECT count(*) AS n FROM (
        SELECT single, sum(n) OVER (ORDER BY rank, id) - n AS before
          FROM (SELECT rank, id, 1 AS n, true AS single FROM one UNION ALL SELECT rank, id, n, false FROM many) e) e
     WHERE single AND before < $4),
best AS MATERIALIZED (
    SELECT ctid AS place FROM ready WHERE lane = $1 AND (rank, id) > ($2, $3)
     ORDER BY rank, id LIMIT (SELECT n FROM share) FOR UPDATE SKIP LOCKED),
room AS MATERIALIZED (SELECT $4 - count(*) AS n FROM best),
whole AS (
    DELETE FROM pack WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM pack WHERE lane = $1 ORDER BY rank, id
         LIMIT (SELECT count(*) FROM many WHERE before < (SELECT n FROM room)) FOR UPDATE SKIP LOCKED))
    RETURNING id, rank, lane, n, ids, bodies, enqueued_at),
cut AS MATERIALIZED (
    SELECT id, rank, lane, n, ids, bodies, enqueued_at, greatest(0, least(n, (SELECT n FROM room) - before))::int4 AS take
      FROM (SELECT id, rank, lane, n, ids, bodies, enqueued_at, sum(n) OVER (ORDER BY rank, id) - n AS before FROM whole) p),
back AS (
    INSERT INTO pack (id, rank, lane, n, ids, bodies, enqueued_at)
    SELECT ids[take + 1], rank, lane, n - take, ids[take + 1:], bodies[take + 1:], enqueued_at FROM cut WHERE take < n),
more AS MATERIALIZED (
    SELECT ctid AS place FROM ready
     WHERE lane = $1 AND (rank, id) > ($2, $3) AND ctid <> ALL (ARRAY(SELECT place FROM best))
     ORDER BY rank, id
     LIMIT CASE WHEN (SELECT count(*) FROM one) + (SELECT coalesce(sum(n), 0) FROM many) >= $4
                THEN (SELECT n FROM room) - (SELECT coalesce(sum(take), 0) FROM cut) ELSE 0 END FOR UPDATE SKIP LOCKED),
found AS MATERIALIZED (SELECT ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more) AS places),
size AS MATERIALIZED (
    SELECT CASE WHEN cardinality(places) > 1 AND $7 IS NOT NULL THEN pg_relation_size((
               SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = 'ready'::regclass)::regclass) > 0 END AS large
      FROM found),
got AS (
    DELETE FROM ready WHERE ctid = ANY ((
        SELECT CASE WHEN large IS NULL OR NOT large AND cardinality(places)::int8 * 2048 <= $7 THEN places ELSE fitting(places, $7) END FROM found, size)::tid[])
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, enqueued_at, bodies)
SELECT $5, $1, $6, p.ids || a.ids,
       CASE WHEN least(p.low, a.low) = greatest(p.high, a.high) THEN ARRAY[coalesce(p.low, a.low)]
            ELSE CASE WHEN p.low = p.high THEN array_fill(p.low, ARRAY[p.n]) ELSE p.ranks END
                 || (SELECT array_agg(rank) FROM got) END,
       CASE WHEN a.attempts > 0 THEN array_fill(1::int2, ARRAY[p.n]) || (SELECT array_agg((least(attempts, 32766) + 1)::int2) FROM got) ELSE ARRAY[1::int2] END,
       CASE WHEN a.flags > 0 THEN array_fill(NULL::int2, ARRAY[p.n]) || (SELECT array_agg(flags) FROM got) END,
       CASE WHEN a.headers > 0 THEN array_fill(NULL::jsonb, ARRAY[p.n]) || (SELECT array_agg(headers) FROM got) END,
       CASE WHEN a.keys > 0 THEN array_fill(NULL::text, ARRAY[p.n]) || (SELECT array_agg(key) FROM got) END,
       CASE WHEN p.first = p.last AND a.ids IS NULL THEN ARRAY[p.first]
            ELSE CASE WHEN p.first = p.last THEN array_fill(p.first, ARRAY[p.n]) ELSE p.enqueued_at END
                 || a.enqueued_at END,
       p.bodies || a.bodies
  FROM (SELECT array_agg(j.id) AS ids,
               array_agg(c.rank) FILTER (WHERE u.low < u.high) AS ranks, min(u.low) AS low, max(u.high) AS high,
               array_agg(c.enqueued_at) FILTER (WHERE u.first < u.last) AS enqueued_at,
               min(u.first) AS first, max(u.last) AS last,
               array_agg(j.body) AS bodies, count(*)::int4 AS n
          FROM (SELECT min(rank) AS low, max(rank) AS high, min(enqueued_at) AS first, max(enqueued_at) AS last
                  FROM cut) u, cut c,
               unnest(CASE WHEN c.take = c.n THEN c.ids ELSE c.ids[:c.take] END,
                      CASE WHEN c.take = c.n THEN c.bodies ELSE c.bodies[:c.take] END) j(id, body)) p, (SELECT array_agg(id) AS ids, min(rank) AS low, max(rank) AS high,
               max(attempts) AS attempts, count(flags) AS flags, count(headers) AS headers, count(key) AS keys,
               array_agg(enqueued_at) AS enqueued_at, array_agg(body) AS bodies FROM got) a
 WHERE p.n > 0 OR a.ids IS NOT NULL
RETURNING id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END, CASE WHEN flags IS NOT NULL THEN expires_in(ids, attempts) END, claimed_at,
          (SELECT large FROM size), (SELECT cardinality(places) FROM found) + (SELECT coalesce(sum(take), 0)::int4 FROM cut), EXISTS (SELECT FROM pack WHERE lane = $1);
END $$;

CREATE FUNCTION :"schema".stored_claim_many(int4[], int8[], int8[], int8, int8, int2[], int8)
RETURNS TABLE (c1 int8, c2 tid, c3 int4, c4 int8[], c5 int8[], c6 int2[], c7 bytea[], c8 text[], c9 int2[], c10 timestamptz[], c11 int8[], c12 timestamptz, c13 bool, c14 int4)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH want AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3) w(lane, rank, id) WHERE w.lane <> ALL ((SELECT paused_lanes())::int4[])),
peek AS MATERIALIZED (
    SELECT t.lane, count(*) AS n FROM (
        SELECT w.lane FROM want w CROSS JOIN LATERAL (
            SELECT r.rank, r.id FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
             ORDER BY r.rank, r.id LIMIT $4) c
         ORDER BY c.rank, c.id LIMIT $4) t GROUP BY t.lane),
best AS MATERIALIZED (
    SELECT c.place FROM want w JOIN peek p ON p.lane = w.lane CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
         ORDER BY r.rank, r.id LIMIT p.n FOR UPDATE SKIP LOCKED) c),
more AS MATERIALIZED (
    SELECT c.place FROM want w CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
           AND r.ctid <> ALL (ARRAY(SELECT place FROM best))
         ORDER BY r.rank, r.id LIMIT $4 FOR UPDATE SKIP LOCKED) c
     LIMIT CASE WHEN (SELECT sum(n) FROM peek) >= $4 THEN $4 - (SELECT count(*) FROM best) ELSE 0 END),
found AS MATERIALIZED (SELECT ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more) AS places),
size AS MATERIALIZED (
    SELECT CASE WHEN cardinality(places) > 1 AND $7 IS NOT NULL THEN pg_relation_size((
               SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = 'ready'::regclass)::regclass) > 0 END AS large
      FROM found),
got AS (
    DELETE FROM ready WHERE ctid = ANY ((
        SELECT CASE WHEN large IS NULL OR NOT large AND cardinality(places)::int8 * 2048 <= $7 THEN places ELSE fitting(places, $7) END FROM found, size)::tid[])
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, enqueued_at, bodies)
SELECT $5, g.lane, $6[array_position($1, g.lane)], array_agg(g.id), array_agg(g.rank),
       array_agg((least(g.attempts, 32766) + 1)::int2),
       CASE WHEN count(g.flags) > 0 THEN array_agg(g.flags) END,
       CASE WHEN count(g.headers) > 0 THEN array_agg(g.headers) END,
       CASE WHEN count(g.key) > 0 THEN array_agg(g.key) END, array_agg(g.enqueued_at), array_agg(g.body)
  FROM got g GROUP BY g.lane
RETURNING id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END, CASE WHEN flags IS NOT NULL THEN expires_in(ids, attempts) END, claimed_at,
          (SELECT large FROM size), (SELECT cardinality(places) FROM found);
END $$;

CREATE FUNCTION :"schema".stored_claim_wide(int4[], int8[], int8[], int8, int8, int2[], int8)
RETURNS TABLE (c1 int8, c2 tid, c3 int4, c4 int8[], c5 int8[], c6 int2[], c7 bytea[], c8 text[], c9 int2[], c10 timestamptz[], c11 int8[], c12 timestamptz, c13 bool, c14 int4)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH want AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3) w(lane, rank, id) WHERE w.lane <> ALL ((SELECT paused_lanes())::int4[])),
front AS MATERIALIZED (
    SELECT c.rank, c.id FROM want w CROSS JOIN LATERAL (
        SELECT r.rank, r.id FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
         ORDER BY r.rank, r.id LIMIT $4 / cardinality($1) + 8) c),
edge AS MATERIALIZED (SELECT rank, id FROM front ORDER BY rank, id OFFSET $4 - 1 LIMIT 1),
peek AS MATERIALIZED (
    SELECT t.lane, count(*) AS n FROM (
        SELECT w.lane FROM want w CROSS JOIN LATERAL (
            SELECT r.rank, r.id FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
               AND (r.rank, r.id) <= (coalesce((SELECT rank FROM edge), 9223372036854775807),
                                      coalesce((SELECT id FROM edge), 9223372036854775807))
             ORDER BY r.rank, r.id LIMIT $4) c
         ORDER BY c.rank, c.id LIMIT $4) t GROUP BY t.lane),
best AS MATERIALIZED (
    SELECT c.place FROM want w JOIN peek p ON p.lane = w.lane CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
         ORDER BY r.rank, r.id LIMIT p.n FOR UPDATE SKIP LOCKED) c),
more AS MATERIALIZED (
    SELECT c.place FROM want w CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
           AND r.ctid <> ALL (ARRAY(SELECT place FROM best))
         ORDER BY r.rank, r.id LIMIT $4 FOR UPDATE SKIP LOCKED) c
     LIMIT CASE WHEN (SELECT sum(n) FROM peek) >= $4 THEN $4 - (SELECT count(*) FROM best) ELSE 0 END),
found AS MATERIALIZED (SELECT ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more) AS places),
size AS MATERIALIZED (
    SELECT CASE WHEN cardinality(places) > 1 AND $7 IS NOT NULL THEN pg_relation_size((
               SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = 'ready'::regclass)::regclass) > 0 END AS large
      FROM found),
got AS (
    DELETE FROM ready WHERE ctid = ANY ((
        SELECT CASE WHEN large IS NULL OR NOT large AND cardinality(places)::int8 * 2048 <= $7 THEN places ELSE fitting(places, $7) END FROM found, size)::tid[])
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, enqueued_at, bodies)
SELECT $5, g.lane, $6[array_position($1, g.lane)], array_agg(g.id), array_agg(g.rank),
       array_agg((least(g.attempts, 32766) + 1)::int2),
       CASE WHEN count(g.flags) > 0 THEN array_agg(g.flags) END,
       CASE WHEN count(g.headers) > 0 THEN array_agg(g.headers) END,
       CASE WHEN count(g.key) > 0 THEN array_agg(g.key) END, array_agg(g.enqueued_at), array_agg(g.body)
  FROM got g GROUP BY g.lane
RETURNING id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END, CASE WHEN flags IS NOT NULL THEN expires_in(ids, attempts) END, claimed_at,
          (SELECT large FROM size), (SELECT cardinality(places) FROM found);
END $$;

CREATE FUNCTION :"schema".stored_claim_each(int4[], int8[], int8[], int8, int8, int2[], int2[], int8)
RETURNS TABLE (c1 int8, c2 tid, c3 int4, c4 int8[], c5 int8[], c6 int2[], c7 bytea[], c8 text[], c9 int2[], c10 timestamptz[], c11 int8[], c12 timestamptz, c13 bool, c14 int4)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH want AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3) w(lane, rank, id) WHERE w.lane <> ALL ((SELECT paused_lanes())::int4[])),
peek AS MATERIALIZED (
    SELECT t.lane, count(*) AS n FROM (
        SELECT w.lane FROM want w CROSS JOIN LATERAL (
            SELECT r.rank, r.id FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
             ORDER BY r.rank, r.id LIMIT $4) c
         ORDER BY c.rank, c.id LIMIT $4) t GROUP BY t.lane),
best AS MATERIALIZED (
    SELECT c.place FROM want w JOIN peek p ON p.lane = w.lane CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
         ORDER BY r.rank, r.id LIMIT p.n FOR UPDATE SKIP LOCKED) c),
more AS MATERIALIZED (
    SELECT c.place FROM want w CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
           AND r.ctid <> ALL (ARRAY(SELECT place FROM best))
         ORDER BY r.rank, r.id LIMIT $4 FOR UPDATE SKIP LOCKED) c
     LIMIT CASE WHEN (SELECT sum(n) FROM peek) >= $4 THEN $4 - (SELECT count(*) FROM best) ELSE 0 END),
found AS MATERIALIZED (SELECT ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more) AS places),
size AS MATERIALIZED (
    SELECT CASE WHEN cardinality(places) > 1 AND $8 IS NOT NULL THEN pg_relation_size((
               SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = 'ready'::regclass)::regclass) > 0 END AS large
      FROM found),
got AS (
    DELETE FROM ready WHERE ctid = ANY ((
        SELECT CASE WHEN large IS NULL OR NOT large AND cardinality(places)::int8 * 2048 <= $8 THEN places ELSE fitting(places, $8) END FROM found, size)::tid[])
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, enqueued_at, bodies)
SELECT $5, g.lane, $6[array_position($1, g.lane)], array_agg(g.id), array_agg(g.rank),
       array_agg((least(g.attempts, 32766) + 1)::int2),
       CASE WHEN count(g.flags) > 0 THEN array_agg(g.flags) END,
       CASE WHEN count(g.headers) > 0 THEN array_agg(g.headers) END,
       CASE WHEN count(g.key) > 0 THEN array_agg(g.key) END, array_agg(g.enqueued_at), array_agg(g.body)
  FROM got g GROUP BY g.lane, CASE WHEN $7[array_position($1, g.lane)] <> 0 THEN g.id END
RETURNING id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END, CASE WHEN flags IS NOT NULL THEN expires_in(ids, attempts) END, claimed_at,
          (SELECT large FROM size), (SELECT cardinality(places) FROM found);
END $$;

CREATE FUNCTION :"schema".stored_claim_wide_each(int4[], int8[], int8[], int8, int8, int2[], int2[], int8)
RETURNS TABLE (c1 int8, c2 tid, c3 int4, c4 int8[], c5 int8[], c6 int2[], c7 bytea[], c8 text[], c9 int2[], c10 timestamptz[], c11 int8[], c12 timestamptz, c13 bool, c14 int4)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH want AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3) w(lane, rank, id) WHERE w.lane <> ALL ((SELECT paused_lanes())::int4[])),
front AS MATERIALIZED (
    SELECT c.rank, c.id FROM want w CROSS JOIN LATERAL (
        SELECT r.rank, r.id FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
         ORDER BY r.rank, r.id LIMIT $4 / cardinality($1) + 8) c),
edge AS MATERIALIZED (SELECT rank, id FROM front ORDER BY rank, id OFFSET $4 - 1 LIMIT 1),
peek AS MATERIALIZED (
    SELECT t.lane, count(*) AS n FROM (
        SELECT w.lane FROM want w CROSS JOIN LATERAL (
            SELECT r.rank, r.id FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
               AND (r.rank, r.id) <= (coalesce((SELECT rank FROM edge), 9223372036854775807),
                                      coalesce((SELECT id FROM edge), 9223372036854775807))
             ORDER BY r.rank, r.id LIMIT $4) c
         ORDER BY c.rank, c.id LIMIT $4) t GROUP BY t.lane),
best AS MATERIALIZED (
    SELECT c.place FROM want w JOIN peek p ON p.lane = w.lane CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
         ORDER BY r.rank, r.id LIMIT p.n FOR UPDATE SKIP LOCKED) c),
more AS MATERIALIZED (
    SELECT c.place FROM want w CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
           AND r.ctid <> ALL (ARRAY(SELECT place FROM best))
         ORDER BY r.rank, r.id LIMIT $4 FOR UPDATE SKIP LOCKED) c
     LIMIT CASE WHEN (SELECT sum(n) FROM peek) >= $4 THEN $4 - (SELECT count(*) FROM best) ELSE 0 END),
found AS MATERIALIZED (SELECT ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more) AS places),
size AS MATERIALIZED (
    SELECT CASE WHEN cardinality(places) > 1 AND $8 IS NOT NULL THEN pg_relation_size((
               SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = 'ready'::regclass)::regclass) > 0 END AS large
      FROM found),
got AS (
    DELETE FROM ready WHERE ctid = ANY ((
        SELECT CASE WHEN large IS NULL OR NOT large AND cardinality(places)::int8 * 2048 <= $8 THEN places ELSE fitting(places, $8) END FROM found, size)::tid[])
    RETURNING id, rank, enqueued_at, lane, attempts, flags, headers, key, body)
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, enqueued_at, bodies)
SELECT $5, g.lane, $6[array_position($1, g.lane)], array_agg(g.id), array_agg(g.rank),
       array_agg((least(g.attempts, 32766) + 1)::int2),
       CASE WHEN count(g.flags) > 0 THEN array_agg(g.flags) END,
       CASE WHEN count(g.headers) > 0 THEN array_agg(g.headers) END,
       CASE WHEN count(g.key) > 0 THEN array_agg(g.key) END, array_agg(g.enqueued_at), array_agg(g.body)
  FROM got g GROUP BY g.lane, CASE WHEN $7[array_position($1, g.lane)] <> 0 THEN g.id END
RETURNING id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END, CASE WHEN flags IS NOT NULL THEN expires_in(ids, attempts) END, claimed_at,
          (SELECT large FROM size), (SELECT cardinality(places) FROM found);
END $$;

CREATE FUNCTION :"schema".stored_peek_next_due(int8, int8, int8, int8)
RETURNS TABLE (c1 int8, c2 int8, c3 timestamptz, c4 timestamptz, c5 timestamptz, c6 int8, c7 bool)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH look AS MATERIALIZED (
    SELECT (SELECT greatest(run_at, 'epoch') FROM deferred WHERE run_at >= CASE WHEN (
    statement_timestamp() >= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    AND statement_timestamp() < 'epoch'::timestamptz + $4 * interval '1 microsecond') THEN 'epoch'::timestamptz + $1 * interval '1 microsecond' ELSE '-infinity' END AND run_at < 'infinity' ORDER BY run_at LIMIT 1) AS run_at,
           (SELECT greatest(expires_at, 'epoch') FROM tracked WHERE expires_at >= CASE WHEN (
    statement_timestamp() >= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    AND statement_timestamp() < 'epoch'::timestamptz + $4 * interval '1 microsecond') THEN 'epoch'::timestamptz + $2 * interval '1 microsecond' ELSE '-infinity' END
               AND expires_at IS NOT NULL AND NOT held AND NOT overdue ORDER BY expires_at LIMIT 1) AS expires_at,(
    statement_timestamp() >= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    AND statement_timestamp() < 'epoch'::timestamptz + $4 * interval '1 microsecond') AS behind)
SELECT (extract(epoch FROM least(run_at, expires_at) - clock_timestamp()) * 1000000)::int8,
       (SELECT count(*) FROM worker), statement_timestamp(), least(run_at, statement_timestamp()),
       least(expires_at, statement_timestamp()),
       (extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000000)::int8, NOT behind
  FROM look;
END $$;

REVOKE ALL ON FUNCTION :"schema".stored_make_session_settings,
    :"schema".stored_pin_plans,
    :"schema".stored_wake,
    :"schema".stored_wake_all_collected,
    :"schema".stored_finish,
    :"schema".stored_mark,
    :"schema".stored_mark_flagged,
    :"schema".stored_settle,
    :"schema".stored_settle_flagged,
    :"schema".stored_settle_ends,
    :"schema".stored_promote,
    :"schema".stored_unpack,
    :"schema".stored_take_claim_slot,
    :"schema".stored_claim_one,
    :"schema".stored_claim_few,
    :"schema".stored_claim_in_slot,
    :"schema".stored_claim_packed,
    :"schema".stored_claim_many,
    :"schema".stored_claim_wide,
    :"schema".stored_claim_each,
    :"schema".stored_claim_wide_each,
    :"schema".stored_peek_next_due
    FROM PUBLIC;
