-- Administration: what an operator lists and does, whatever the types of the jobs. docs/design/admin.md gives the
-- reasons.

-- The first `most` ready jobs behind `after` if no index has their order: it reads the table.
CREATE FUNCTION :"schema".scan_ready(of_lanes int4[], after int8, last int8, most int8)
RETURNS TABLE (id int8, lane int4, rank int8, attempts int2, headers jsonb, key text, enqueued_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = :"schema", pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.id, r.lane, r.rank, r.attempts, r.headers, r.key, r.enqueued_at FROM ready r
     WHERE (of_lanes IS NULL OR r.lane = ANY (of_lanes)) AND r.id > after AND r.id <= last ORDER BY r.id LIMIT most;
END $$;

-- A page of jobs in the order of their ids: those behind `after` up to `last`, of these lanes (null: of all), at most
-- `most`. states: w ready, d deferred, b blocked, l leased, h held. A job has all headers `names` with these `vals`,
-- and `part` in its reason. It looks at no more than about `look` jobs that do not match. The last row has no job: if
-- its `next` is not null, more jobs may be behind this id.
CREATE FUNCTION :"schema".list_jobs(
    of_lanes int4[], states text, after int8, last int8, names text[], vals text[], part text,
    enqueued_since timestamptz, enqueued_before timestamptz, most int8, look int8)
RETURNS TABLE (id int8, lane int4, rank int8, state "char", attempts int2, run_at timestamptz, since timestamptz,
               worker int4, reason text, headers jsonb, key text, enqueued_at timestamptz, next int8)
LANGUAGE plpgsql STABLE SET search_path = :"schema", pg_catalog, pg_temp SET jit = off
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_mergejoin = off SET enable_hashjoin = off AS $$
#variable_conflict use_column
DECLARE
    mine int4[] := coalesce(of_lanes, ARRAY(SELECT a.id FROM lane a ORDER BY a.id));
    target int8 := CASE WHEN cardinality(names) = 0 AND part = '' AND enqueued_since IS NULL AND enqueued_before IS NULL
                        THEN most ELSE greatest(most, look) END;
    most_ranges int8 := 10000;
    open_kinds "char"[] := ARRAY(SELECT k FROM unnest('{d,r,b}'::"char"[]) k
                                  WHERE strpos(states, CASE k WHEN 'b' THEN 'b' ELSE 'd' END) > 0);
    held_lanes int4[] := CASE WHEN strpos(states, 'h') > 0 THEN mine END;
    ready_lanes int4[]; ready_ranks int8[]; ready_firsts int8[];
    pack_lanes int4[]; pack_ranks int8[];
    kinds "char"[]; lanes int4[]; ranks int8[];
    scans bool := false;
    each_range int8;
    bound int8;
    top int8;
BEGIN
    -- The ranges: each lane and rank of ready jobs and of packs. Each lane is one of held jobs, and one of each other
    -- kind of deferred ones.
    IF strpos(states, 'w') > 0 THEN
        SELECT array_agg(p.lane), array_agg(p.rank), array_agg(p.id) INTO ready_lanes, ready_ranks, ready_firsts FROM (
            SELECT w.lane, p.rank, p.id FROM unnest(mine) w(lane) CROSS JOIN LATERAL (
                WITH RECURSIVE part(rank, id) AS (
                    (SELECT r.rank, r.id FROM ready r WHERE r.lane = w.lane ORDER BY r.rank, r.id LIMIT 1)
                    UNION ALL
                    SELECT x.rank, x.id FROM part p CROSS JOIN LATERAL (
                        SELECT r.rank, r.id FROM ready r WHERE r.lane = w.lane AND r.rank > p.rank
                         ORDER BY r.rank, r.id LIMIT 1) x)
                SELECT f.rank, f.id FROM part f) p LIMIT most_ranges + 1) p;
        scans := cardinality(ready_lanes) > most_ranges;
        IF scans THEN ready_lanes := NULL; ready_ranks := NULL; ready_firsts := NULL; END IF;
        SELECT array_agg(p.lane), array_agg(p.rank) INTO pack_lanes, pack_ranks FROM (
            SELECT w.lane, p.rank FROM unnest(mine) w(lane) CROSS JOIN LATERAL (
                WITH RECURSIVE part(rank) AS (
                    (SELECT r.rank FROM pack r WHERE r.lane = w.lane ORDER BY r.rank, r.id LIMIT 1)
                    UNION ALL
                    SELECT x.rank FROM part p CROSS JOIN LATERAL (
                        SELECT r.rank FROM pack r WHERE r.lane = w.lane AND r.rank > p.rank
                         ORDER BY r.rank, r.id LIMIT 1) x)
                SELECT f.rank FROM part f) p) p;
    END IF;
    -- Of these the ones whose first job behind `after` comes first: the page has jobs of no others. w ready, p
    -- packs, h, d, r and b as in `deferred`. A pack with a job behind `after` may begin before it.
    SELECT array_agg(r.kind), array_agg(r.lane), array_agg(r.rank) INTO kinds, lanes, ranks FROM (
        SELECT * FROM (
            SELECT 'w'::"char" AS kind, p.lane, p.rank, CASE WHEN p.id > after THEN p.id ELSE (
                       SELECT r.id FROM ready r WHERE r.lane = p.lane AND r.rank = p.rank AND r.id > after
                        ORDER BY r.id LIMIT 1) END AS head
              FROM unnest(ready_lanes, ready_ranks, ready_firsts) p(lane, rank, id)
            UNION ALL
            SELECT 'p', p.lane, p.rank, least((
                       SELECT r.id FROM pack r WHERE r.lane = p.lane AND r.rank = p.rank AND r.id > after
                        ORDER BY r.id LIMIT 1), (
                       SELECT min(j.id) FROM (
                           SELECT r.ids, r.n FROM pack r
                            WHERE r.lane = p.lane AND r.rank = p.rank AND r.id <= after
                              AND r.id > greatest(after, 0) - 100000 ORDER BY r.id DESC LIMIT 16) r
                         CROSS JOIN LATERAL unnest(r.ids) j(id) WHERE r.ids[r.n] > after AND j.id > after))
              FROM unnest(pack_lanes, pack_ranks) p(lane, rank)
            UNION ALL
            SELECT 'h', p.lane, NULL, (SELECT d.id FROM deferred d
                                        WHERE d.lane = p.lane AND d.kind = 'h' AND d.id > after ORDER BY d.id LIMIT 1)
              FROM unnest(held_lanes) p(lane)
            UNION ALL
            SELECT k.kind, p.lane, NULL, (SELECT d.id FROM deferred d
                                           WHERE d.lane = p.lane AND d.kind = k.kind AND d.kind <> 'h' AND d.id > after
                                           ORDER BY d.id LIMIT 1)
              FROM unnest(mine) p(lane), unnest(open_kinds) k(kind)) u
         WHERE u.head <= last ORDER BY u.head LIMIT target) r;

    -- Up to `bound` there are at least `target` jobs, if there are so many. Of a pack all jobs count by its last one.
    -- If the ranges are alike, the first look, at twice their share, is close; the second one corrects it where some
    -- are dense.
    each_range := least(ceil(sqrt(target)), ceil(2.0 * target / greatest(cardinality(kinds), 1)));
    FOR turn IN 1..2 LOOP
        top := least(bound, last);
        SELECT s.id INTO bound FROM (
            SELECT i.id, sum(i.n) OVER (ORDER BY i.id) AS sum FROM (
                SELECT r.id, 1 AS n FROM unnest(kinds, lanes, ranks) p(kind, lane, rank) CROSS JOIN LATERAL (
                    SELECT r.id FROM ready r
                     WHERE r.lane = p.lane AND r.rank = p.rank AND r.id > after AND r.id <= top
                     ORDER BY r.id LIMIT each_range) r
                 WHERE p.kind = 'w'
                UNION ALL
                SELECT r.ids[r.n], r.n FROM unnest(kinds, lanes, ranks) p(kind, lane, rank) CROSS JOIN LATERAL (
                    SELECT r.ids, r.n FROM pack r
                     WHERE r.lane = p.lane AND r.rank = p.rank AND r.id > after AND r.id <= top
                     ORDER BY r.id LIMIT each_range / 10 + 1) r
                 WHERE p.kind = 'p'
                UNION ALL
                SELECT h.id, 1 FROM unnest(kinds, lanes) p(kind, lane) CROSS JOIN LATERAL (
                    SELECT d.id FROM deferred d
                     WHERE d.lane = p.lane AND d.kind = 'h' AND d.id > after AND d.id <= top
                     ORDER BY d.id LIMIT each_range) h
                 WHERE p.kind = 'h'
                UNION ALL
                SELECT o.id, 1 FROM unnest(kinds, lanes) p(kind, lane) CROSS JOIN LATERAL (
                    SELECT d.id FROM deferred d
                     WHERE d.lane = p.lane AND d.kind = p.kind AND d.kind <> 'h' AND d.id > after AND d.id <= top
                     ORDER BY d.id LIMIT each_range) o
                 WHERE p.kind IN ('d', 'r', 'b')) i) s
         WHERE s.sum >= target ORDER BY s.id LIMIT 1;
        EXIT WHEN each_range >= sqrt(target);
        each_range := ceil(sqrt(target));
    END LOOP;
    top := least(bound, last);

    RETURN QUERY
    WITH candidate AS MATERIALIZED (
        SELECT * FROM (
            SELECT r.id, r.lane, r.rank, 'w'::"char" AS state, r.attempts, NULL::timestamptz AS run_at,
                   NULL::timestamptz AS since, NULL::int4 AS worker, NULL::text AS reason, r.headers, r.key,
                   r.enqueued_at
              FROM unnest(kinds, lanes, ranks) p(kind, lane, rank) CROSS JOIN LATERAL (
                SELECT r.id, r.lane, r.rank, r.attempts, r.headers, r.key, r.enqueued_at FROM ready r
                 WHERE r.lane = p.lane AND r.rank = p.rank AND r.id > after AND r.id <= top
                 ORDER BY r.id LIMIT target) r
             WHERE p.kind = 'w'
            UNION ALL
            SELECT r.id, r.lane, r.rank, 'w', r.attempts, NULL, NULL, NULL, NULL, r.headers, r.key, r.enqueued_at
              FROM scan_ready(of_lanes, after, top, target) r WHERE scans
            UNION ALL
            SELECT j.id, r.lane, r.rank, 'w', 0::int2, NULL, NULL, NULL, NULL, NULL, NULL, r.enqueued_at
              FROM unnest(kinds, lanes, ranks) p(kind, lane, rank) CROSS JOIN LATERAL (
                (SELECT r.lane, r.rank, r.ids, r.enqueued_at FROM pack r
                  WHERE r.lane = p.lane AND r.rank = p.rank AND r.id <= after
                    AND r.id > greatest(after, 0) - 100000 ORDER BY r.id DESC LIMIT 16)
                UNION ALL
                (SELECT r.lane, r.rank, r.ids, r.enqueued_at FROM pack r
                  WHERE r.lane = p.lane AND r.rank = p.rank AND r.id > after AND r.id <= top
                  ORDER BY r.id LIMIT target)) r
             CROSS JOIN LATERAL unnest(r.ids) j(id) WHERE p.kind = 'p' AND j.id > after AND j.id <= top
            UNION ALL
            SELECT h.id, h.lane, h.rank, 'h', h.attempts, NULL, h.changed_at, NULL, h.reason, h.headers, h.key,
                   h.enqueued_at
              FROM unnest(kinds, lanes) p(kind, lane) CROSS JOIN LATERAL (
                SELECT d.id, d.lane, d.rank, d.attempts, d.changed_at, d.reason, d.headers, d.key, d.enqueued_at
                  FROM deferred d WHERE d.lane = p.lane AND d.kind = 'h' AND d.id > after AND d.id <= top
                 ORDER BY d.id LIMIT target) h
             WHERE p.kind = 'h'
            UNION ALL
            SELECT o.id, o.lane, o.rank, CASE p.kind WHEN 'b' THEN 'b' ELSE 'd' END::"char", o.attempts,
                   CASE WHEN o.run_at < 'infinity' THEN o.run_at END, o.changed_at, NULL, o.reason, o.headers, o.key,
                   o.enqueued_at
              FROM unnest(kinds, lanes) p(kind, lane) CROSS JOIN LATERAL (
                SELECT d.id, d.lane, d.rank, d.attempts, d.run_at, d.changed_at, d.reason, d.headers, d.key,
                       d.enqueued_at
                  FROM deferred d
                 WHERE d.lane = p.lane AND d.kind = p.kind AND d.kind <> 'h' AND d.id > after AND d.id <= top
                 ORDER BY d.id LIMIT target) o
             WHERE p.kind IN ('d', 'r', 'b')
            UNION ALL
            SELECT j.id, l.lane, coalesce(j.rank, l.ranks[1]), 'l', coalesce(j.attempts, l.attempts[1]), NULL,
                   l.claimed_at, l.worker, NULL, CASE WHEN l.headers IS NOT NULL THEN l.headers[j.o] END, l.keys[j.o],
                   coalesce(j.enqueued_at, l.enqueued_at[1])
              FROM lease l CROSS JOIN LATERAL unnest(l.ids, l.ranks, l.attempts, l.enqueued_at)
                       WITH ORDINALITY j(id, rank, attempts, enqueued_at, o)
             WHERE strpos(states, 'l') > 0 AND (of_lanes IS NULL OR l.lane = ANY (of_lanes))
               AND j.id > after AND j.id <= top AND (l.done IS NULL OR get_bit(l.done, j.o::int4 - 1) = 0)) c
         ORDER BY c.id LIMIT target),
    page AS MATERIALIZED (
        SELECT c.* FROM candidate c
         WHERE (cardinality(names) = 0 OR NOT EXISTS (
                   SELECT FROM unnest(names, vals) h(name, value)
                    WHERE (c.headers ->> h.name) IS DISTINCT FROM h.value))
           AND (part = '' OR strpos(c.reason, part) > 0)
           AND (enqueued_since IS NULL OR c.enqueued_at >= enqueued_since)
           AND (enqueued_before IS NULL OR c.enqueued_at < enqueued_before)
         ORDER BY c.id LIMIT most)
    SELECT p.*, NULL::int8 AS next FROM page p
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           CASE WHEN (SELECT count(*) FROM page) = most THEN (SELECT max(p.id) FROM page p)
                WHEN (SELECT count(*) FROM candidate) = target THEN (SELECT max(c.id) FROM candidate c)
                WHEN top < last THEN top END
     ORDER BY 1;
END $$;

-- Held jobs by lane and by the first line of their reason, most first, at most 1000 groups. It looks at the latest
-- `most` of each lane; `capped`: the lane has more. example: the latest one.
CREATE FUNCTION :"schema".failed_groups(of_lanes int4[], most int8)
RETURNS TABLE (lane int4, reason text, n int8, capped bool, latest timestamptz, example int8)
LANGUAGE plpgsql STABLE SET search_path = :"schema", pg_catalog, pg_temp SET jit = off
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_mergejoin = off SET enable_hashjoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT g.lane, g.line, count(*), bool_or(g.all_of_lane > most), max(g.changed_at), max(g.id) FROM (
        SELECT w.lane, h.id, h.changed_at,
               left(rtrim(split_part(coalesce(h.reason, ''), E'\n', 1), E'\r'), 500) AS line,
               count(*) OVER (PARTITION BY w.lane) AS all_of_lane,
               row_number() OVER (PARTITION BY w.lane ORDER BY h.id DESC) AS number
          FROM unnest(coalesce(of_lanes, ARRAY(SELECT a.id FROM lane a))) w(lane) CROSS JOIN LATERAL (
            SELECT d.id, d.changed_at, d.reason FROM deferred d WHERE d.lane = w.lane AND d.kind = 'h'
             ORDER BY d.id DESC LIMIT most + 1) h) g
     WHERE g.number <= most GROUP BY g.lane, g.line ORDER BY 3 DESC, 1, 2 LIMIT 1000;
END $$;

-- The rows of `ready` of these jobs, of which lane and rank are known. It locks them.
CREATE FUNCTION :"schema".ready_at(which int8[], at_lanes int4[], at_ranks int8[]) RETURNS tid[]
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    RETURN ARRAY(SELECT r.ctid FROM unnest(which, at_lanes, at_ranks) h(id, lane, rank)
                   JOIN ready r ON r.lane = h.lane AND r.rank = h.rank AND r.id = h.id ORDER BY r.id FOR UPDATE OF r);
END $$;

-- Unpacks the packs with these jobs, of which lane and rank are known. As in find_one, a pack with a job is one of the
-- last 16 that begin before it.
CREATE FUNCTION :"schema".unpack_at(which int8[], at_lanes int4[], at_ranks int8[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    places tid[];
BEGIN
    LOOP
        places := ARRAY(
            SELECT c.place FROM (
                SELECT h.lane, h.rank, min(h.id) AS low, max(h.id) AS high
                  FROM unnest(which, at_lanes, at_ranks) h(id, lane, rank) GROUP BY h.lane, h.rank) g
             CROSS JOIN LATERAL (
                (SELECT p.ctid AS place, p.id, p.ids[p.n] AS last FROM pack p
                  WHERE p.lane = g.lane AND p.rank = g.rank AND p.id <= g.low AND p.id > g.low - 100000
                  ORDER BY p.id DESC LIMIT 16)
                UNION ALL
                (SELECT p.ctid, p.id, p.ids[p.n] FROM pack p
                  WHERE p.lane = g.lane AND p.rank = g.rank AND p.id > g.low AND p.id <= g.high)) c
             WHERE EXISTS (SELECT FROM unnest(which) w WHERE w BETWEEN c.id AND c.last));
        EXIT WHEN cardinality(places) = 0;
        places := ARRAY(SELECT p.ctid FROM pack p WHERE p.ctid = ANY (places) ORDER BY p.id FOR UPDATE);
        PERFORM collect_wake_lanes(ARRAY(SELECT b.lane FROM move_packs_to_ready(places) b));
    END LOOP;
END $$;

-- Makes deferred jobs ready before their time. Rank, id and attempts stay, and so does the order.
CREATE FUNCTION :"schema".run_now(which int8[]) RETURNS TABLE (n int8, lanes int4[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    mine int8[] := ARRAY(SELECT d.id FROM deferred d WHERE d.id = ANY (which) AND d.kind IN ('d', 'r')
                          ORDER BY d.id FOR UPDATE);
BEGIN
    RETURN QUERY SELECT count(*), array_agg(DISTINCT l) FROM deferred_to_ready(mine, false) l;
END $$;

-- Deletes held jobs. Of those whose outcome is kept it says discarded, with the reason for which they were held.
CREATE FUNCTION :"schema".drop_held(which int8[]) RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    dropped int8;
    ended int8[];
    tries int2[];
    reasons text[];
BEGIN
    PERFORM FROM tracked t WHERE t.id = ANY (which) ORDER BY t.id FOR UPDATE;
    WITH d AS (DELETE FROM deferred d WHERE d.id = ANY (which) AND d.kind = 'h'
               RETURNING d.id, d.attempts, d.reason, d.flags)
    SELECT count(*), array_agg(d.id) FILTER (WHERE d.flags & 1 <> 0),
           array_agg(d.attempts) FILTER (WHERE d.flags & 1 <> 0), array_agg(d.reason) FILTER (WHERE d.flags & 1 <> 0)
      INTO dropped, ended, tries, reasons FROM d;
    IF ended IS NOT NULL THEN
        PERFORM end_tracked(ended, array_fill('x'::"char", ARRAY[cardinality(ended)]), tries, reasons, NULL);
    END IF;
    RETURN dropped;
END $$;

-- Moves jobs that are ready, deferred or held to another lane, where they keep state, rank and id. at_lanes, at_ranks:
-- where they are, or null: then it reads the tables of ready jobs. Jobs that are there already do not count. The second
-- column is the lane if workers of it have new jobs.
CREATE FUNCTION :"schema".move_jobs(which int8[], at_lanes int4[], at_ranks int8[], to_lane int4)
RETURNS TABLE (n int8, lanes int4[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    places tid[];
    moved int8[];
    ready_moved int8;
BEGIN
    IF NOT EXISTS (SELECT FROM lane a WHERE a.id = to_lane) THEN
        RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = 'there is no lane ' || to_lane;
    END IF;
    PERFORM open_lane(to_lane);
    IF at_lanes IS NULL THEN PERFORM unpack_jobs(which);
    ELSE PERFORM unpack_at(which, at_lanes, at_ranks);
    END IF;
    PERFORM FROM tracked t WHERE t.id = ANY (which) ORDER BY t.id FOR UPDATE;
    IF at_lanes IS NULL THEN
        places := ARRAY(SELECT r.ctid FROM ready r WHERE r.id = ANY (which) ORDER BY r.id FOR UPDATE);
    ELSE places := ready_at(which, at_lanes, at_ranks);
    END IF;
    WITH r AS (UPDATE ready r SET lane = to_lane WHERE r.ctid = ANY (places) AND r.lane <> to_lane RETURNING r.id)
    SELECT array_agg(r.id), count(*) INTO moved, ready_moved FROM r;
    moved := moved || move_deferred(which, to_lane);
    UPDATE tracked t SET lane = to_lane WHERE t.id = ANY (moved);
    UPDATE outcome o SET lane = to_lane WHERE o.id = ANY (moved);
    RETURN QUERY SELECT coalesce(cardinality(moved), 0)::int8, CASE WHEN ready_moved > 0 THEN ARRAY[to_lane] END;
END $$;
CREATE FUNCTION :"schema".move_deferred(which int8[], to_lane int4) RETURNS int8[]
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    moved int8[];
BEGIN
    WITH d AS (UPDATE deferred d SET lane = to_lane
                WHERE d.id = ANY (ARRAY(SELECT w.id FROM deferred w WHERE w.id = ANY (which) AND w.kind <> 'b'
                                           AND w.lane <> to_lane ORDER BY w.id FOR UPDATE)) RETURNING d.id)
    SELECT array_agg(d.id) INTO moved FROM d;
    RETURN moved;
END $$;

-- Removes a worker from the table, unless it is alive and not `forced`. A rescue returns what it has. known: it was
-- there; alive: its heartbeat is not late.
CREATE FUNCTION :"schema".forget_worker(of_worker int4, forced bool) RETURNS TABLE (known bool, alive bool)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    alive := (SELECT w.heartbeat_at >= now() - w.lease_time FROM worker w WHERE w.id = of_worker FOR UPDATE);
    known := alive IS NOT NULL;
    alive := coalesce(alive, false);
    DELETE FROM worker w WHERE w.id = of_worker AND (forced OR NOT alive);
    RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION :"schema".scan_ready, :"schema".list_jobs, :"schema".failed_groups, :"schema".ready_at,
    :"schema".unpack_at, :"schema".run_now, :"schema".drop_held, :"schema".move_jobs, :"schema".move_deferred,
    :"schema".forget_worker FROM PUBLIC;
