-- Limits and keys. See docs/design/limits.md for the reasons.

-- What a lane may have running (c: at once, k: at once of one key) or begin (r: `amount` in `per`). It holds for all lanes of the
-- entrypoint, or of the queue when the entrypoint is empty, together.
CREATE TABLE :"schema".lane_limit (
    id         int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue      text NOT NULL,
    entrypoint text NOT NULL,
    kind       "char" NOT NULL CHECK (kind IN ('c', 'k', 'r')),
    number     int2 NOT NULL DEFAULT 0,
    amount     int4 NOT NULL CHECK (amount >= 0),
    per        interval NOT NULL DEFAULT '1 second' CHECK (per > '0'),
    burst      int4 NOT NULL DEFAULT 1 CHECK (burst > 0),
    tokens     float8 NOT NULL DEFAULT 1,
    at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (queue, entrypoint, kind, number)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);

-- The jobs of these lanes that run, by key; the null key is all without one.
CREATE FUNCTION :"schema".running_of(of_lanes int4[]) RETURNS TABLE (key text, n int8)
LANGUAGE sql STABLE SET search_path = :"schema", pg_catalog, pg_temp AS $$
    SELECT k.key, count(*) FROM lease e CROSS JOIN LATERAL (
        SELECT e.keys[o] AS key FROM generate_series(1, cardinality(e.ids)) o
         WHERE e.done IS NULL OR get_bit(e.done, o - 1) = 0) k
     WHERE e.limited AND e.lane = ANY (of_lanes) GROUP BY 1
$$;

-- The jobs of one lane that a keyed limit lets begin, best first: at most `most`, of each key at most `amount` with those that run.
-- The front of the lane answers nearly always; when busy keys fill it, each key's own front is looked at. Jobs without a key, which programs
-- without the limiter enqueue, are looked for no further than sixteen fronts: there is no index of them, and the lane may be long.
CREATE FUNCTION :"schema".keyed_front(of_lane int4, of_lanes int4[], amount int4, most int8) RETURNS tid[]
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    front int8 := 4 * most + 64;
    busy jsonb := (SELECT coalesce(jsonb_object_agg(b.key, b.n), '{}') FROM running_of(of_lanes) b WHERE b.key IS NOT NULL);
    seen int8;
    found tid[];
BEGIN
    WITH look AS MATERIALIZED (
        SELECT r.ctid AS place, r.key, r.rank, r.id FROM ready r
         WHERE r.lane = of_lane ORDER BY r.rank, r.id LIMIT front),
    fit AS (
        SELECT l.place, l.rank, l.id FROM (
            SELECT *, row_number() OVER (PARTITION BY key ORDER BY rank, id) AS nth FROM look) l
         WHERE l.key IS NULL OR l.nth <= amount - coalesce((busy ->> l.key)::int8, 0)
         ORDER BY l.rank, l.id LIMIT most)
    SELECT (SELECT count(*) FROM look),
           ARRAY(SELECT r.ctid FROM ready r WHERE r.ctid = ANY (ARRAY(SELECT place FROM fit)) FOR UPDATE SKIP LOCKED)
      INTO seen, found;
    IF seen < front OR cardinality(found) >= most THEN RETURN found; END IF;

    RETURN ARRAY(SELECT r.ctid FROM ready r WHERE r.ctid = ANY (ARRAY(
        WITH RECURSIVE each_key AS (
            (SELECT r.key FROM ready r WHERE r.lane = of_lane AND r.key IS NOT NULL ORDER BY r.key LIMIT 1)
            UNION ALL
            SELECT (SELECT r.key FROM ready r WHERE r.lane = of_lane AND r.key > e.key ORDER BY r.key LIMIT 1)
              FROM each_key e WHERE e.key IS NOT NULL)
        SELECT f.place FROM (
            SELECT h.* FROM each_key e CROSS JOIN LATERAL (
                SELECT r.ctid AS place, r.rank, r.id FROM ready r WHERE r.lane = of_lane AND r.key = e.key
                 ORDER BY r.rank, r.id LIMIT greatest(amount - coalesce((busy ->> e.key)::int8, 0), 0)) h
             WHERE e.key IS NOT NULL
            UNION ALL
            (SELECT n.place, n.rank, n.id FROM (
                SELECT r.ctid AS place, r.key, r.rank, r.id FROM ready r
                 WHERE r.lane = of_lane ORDER BY r.rank, r.id LIMIT 16 * front) n
              WHERE n.key IS NULL ORDER BY n.rank, n.id LIMIT most)) f
         ORDER BY f.rank, f.id LIMIT most)) FOR UPDATE SKIP LOCKED);
END $$;

-- Claims from lanes with limits, for worker `me`: of each lane at most `mosts`, of all `room`, and no more than its limits allow. Claims of a lane
-- take turns by a lock that ends with the transaction; who comes second looks after the first has committed (each statement in
-- here sees what was committed before it), so that no limit is ever exceeded. Who has something better to do than to wait for the
-- lock is not `patient`.
--
-- A row with a lease id is a lease, as a claim of other lanes returns it. `again` is the microseconds after which another claim
-- may bring more, 0 when a colleague could take more at once. Where nothing but counts limit a lane, two statements are all.
CREATE FUNCTION :"schema".claim_limited(me int4, patient bool, room int4, lanes int4[], mosts int4[], max_attempts int2[])
RETURNS TABLE (lease int8, place tid, of_lane int4, job_ids int8[], job_ranks int8[], job_attempts int2[],
               job_bodies bytea[], job_headers text[], job_flags int2[], again int8)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    space int8 := (SELECT relnamespace::int8 << 32 FROM pg_class WHERE oid = 'lane_limit'::regclass);
    want record;
    m record;
    now_ timestamptz;
    free int8;
    most_ int8;
    tokens_ float8;
    picked tid[];
    taken int8;
    rest int8;
BEGIN
    IF patient THEN
        PERFORM pg_advisory_xact_lock(space + k.id) FROM (
            SELECT DISTINCT l.id FROM lane a JOIN lane_limit l ON l.queue = a.queue AND l.entrypoint IN ('', a.entrypoint)
             WHERE a.id = ANY (lanes) ORDER BY l.id) k;
    END IF;
    -- The locks of a lane are taken with this, and so before the statements that count what runs.
    FOR want IN
        SELECT w.lane, w.most, w.max_attempts, array_agg(l.id) FILTER (WHERE l.id IS NOT NULL) AS limits,
               coalesce(bool_and(patient OR pg_try_advisory_xact_lock(space + l.id)) FILTER (WHERE l.id IS NOT NULL), true) AS open,
               coalesce(bool_or(l.kind = 'c'), false) AS counted, coalesce(bool_or(l.kind <> 'c'), false) AS otherwise
          FROM unnest(lanes, mosts, max_attempts) WITH ORDINALITY w(lane, most, max_attempts, o) JOIN lane a ON a.id = w.lane
          LEFT JOIN lane_limit l ON l.queue = a.queue AND l.entrypoint IN ('', a.entrypoint)
         GROUP BY w.o, w.lane, w.most, w.max_attempts ORDER BY w.o
    LOOP
        IF NOT want.open THEN
            lease := NULL; job_ids := NULL; job_ranks := NULL; job_attempts := NULL; job_bodies := NULL; job_headers := NULL;
            job_flags := NULL; of_lane := want.lane; again := 2000;
            RETURN NEXT;
            CONTINUE;
        END IF;

        now_ := clock_timestamp();
        most_ := least(want.most, room);
        free := most_;
        picked := NULL;
        rest := NULL;
        IF want.counted THEN
            free := least(free, (
                SELECT min(l.amount - (
                    SELECT coalesce(sum(cardinality(e.ids) - CASE WHEN e.done IS NULL THEN 0 ELSE bit_count(e.done) END), 0)
                      FROM lease e WHERE e.limited AND e.lane = ANY (ARRAY(
                        SELECT a.id FROM lane a WHERE a.queue = l.queue AND (l.entrypoint = '' OR a.entrypoint = l.entrypoint)))))
                  FROM lane_limit l WHERE l.id = ANY (want.limits) AND l.kind = 'c'));
        END IF;
        IF want.otherwise THEN
            FOR m IN
                SELECT l.*, ARRAY(SELECT a.id FROM lane a WHERE a.queue = l.queue
                                     AND (l.entrypoint = '' OR a.entrypoint = l.entrypoint)) AS lanes,
                       extract(epoch FROM l.per)::float8 / nullif(l.amount, 0) AS each
                  FROM lane_limit l WHERE l.id = ANY (want.limits) AND l.kind <> 'c' ORDER BY l.kind = 'k', l.id
            LOOP
                IF m.kind = 'r' THEN
                    tokens_ := CASE WHEN m.each IS NULL THEN 0 ELSE
                        least(m.burst, m.tokens + greatest(extract(epoch FROM now_ - m.at)::float8, 0) / m.each) END;
                    IF tokens_ < free THEN
                        free := floor(tokens_);
                        -- Enough for some at once: one at a time would be a claim for each.
                        rest := greatest((greatest(1, m.burst / 4) + free - tokens_) * m.each * 1000000, 1000)::int8;
                    END IF;
                ELSIF free > 0 THEN
                    picked := keyed_front(want.lane, m.lanes, m.amount, free);
                END IF;
            END LOOP;
        END IF;

        taken := 0;
        IF free > 0 THEN
            WITH got AS (
                DELETE FROM ready r WHERE r.ctid = ANY (coalesce(picked, ARRAY(
                    SELECT c.ctid FROM ready c WHERE c.lane = want.lane
                     ORDER BY c.rank, c.id LIMIT free FOR UPDATE SKIP LOCKED)))
                RETURNING r.id, r.rank, r.attempts, r.flags, r.headers, r.key, r.body)
            INSERT INTO lease AS e (worker, lane, limited, max_attempts, ids, ranks, attempts, flags, headers, keys, bodies)
            SELECT me, want.lane, want.limits IS NOT NULL, want.max_attempts, array_agg(g.id), array_agg(g.rank),
                   array_agg((least(g.attempts, 32766) + 1)::int2),
                   CASE WHEN count(g.flags) > 0 THEN array_agg(g.flags) END,
                   CASE WHEN count(g.headers) > 0 THEN array_agg(g.headers) END,
                   CASE WHEN count(g.key) > 0 THEN array_agg(g.key) END, array_agg(g.body)
              FROM got g HAVING count(*) > 0
            RETURNING e.id, e.ctid, e.lane, e.ids, e.ranks, e.attempts, e.bodies,
                   CASE WHEN e.headers IS NOT NULL THEN (
                       SELECT array_agg(ARRAY[h.o::text, x.key, coalesce(x.value, '')])
                         FROM unnest(e.headers) WITH ORDINALITY h(j, o), jsonb_each_text(h.j) x) END, e.flags, NULL::int8
                 INTO lease, place, of_lane, job_ids, job_ranks, job_attempts, job_bodies, job_headers, job_flags, again;
            IF FOUND THEN
                taken := cardinality(job_ids);
                RETURN NEXT;
                IF want.otherwise THEN
                    UPDATE lane_limit l
                       SET tokens = least(l.burst, l.tokens + greatest(extract(epoch FROM now_ - l.at)::float8, 0)
                                           * l.amount / extract(epoch FROM l.per)::float8) - taken, at = now_
                     WHERE l.id = ANY (want.limits) AND l.kind = 'r';
                END IF;
            END IF;
        END IF;

        -- What is left, for whom, and when.
        lease := NULL; job_ids := NULL; job_ranks := NULL; job_attempts := NULL; job_bodies := NULL; job_headers := NULL;
        job_flags := NULL; of_lane := want.lane; again := NULL;
        room := room - taken;
        IF taken = most_ THEN again := 0;
        ELSIF rest IS NOT NULL AND taken >= free THEN again := rest;
        END IF;
        IF again IS NOT NULL AND EXISTS (SELECT FROM ready r WHERE r.lane = want.lane) THEN RETURN NEXT; END IF;
    END LOOP;
END $$;
