-- Limits and keys. docs/design/limits.md gives the reasons.

-- kind c: at most `amount` jobs run at once. k: at most `amount` jobs of one key run at once. r: at most `amount` jobs
-- start in `per`, with bursts of `burst`. A limit counts all lanes of its entrypoint together; without an entrypoint,
-- all of its queue.
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
    tokens_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (queue, entrypoint, kind, number)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);

-- How many jobs of these lanes run, by key. The row with the null key counts jobs without a key.
CREATE FUNCTION :"schema".running_by_key(of_lanes int4[]) RETURNS TABLE (key text, n int8)
LANGUAGE sql STABLE SET search_path = :"schema", pg_catalog, pg_temp AS $$
    SELECT k.key, count(*) FROM lease e CROSS JOIN LATERAL (
        SELECT e.keys[o] AS key FROM generate_series(1, cardinality(e.ids)) o
         WHERE e.done IS NULL OR get_bit(e.done, o - 1) = 0) k
     WHERE e.limited AND e.lane = ANY (of_lanes) GROUP BY 1
$$;

-- Locks the best jobs of one lane that a limit by key lets start: at most `most` jobs, and of each key at most
-- `amount`, counting those that run. The first `front` jobs of the lane nearly always suffice. When busy keys fill
-- them, the function looks at the first jobs of each key. No index has the jobs without a key, so it looks for those in
-- the first 16 * `front` jobs only.
CREATE FUNCTION :"schema".select_by_key_limit(of_lane int4, of_lanes int4[], amount int4, most int8) RETURNS tid[]
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    front int8 := 4 * most + 64;
    busy jsonb := (SELECT coalesce(jsonb_object_agg(b.key, b.n), '{}') FROM running_by_key(of_lanes) b
        WHERE b.key IS NOT NULL);
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

-- Claims from lanes with limits for one worker: of each lane at most its `mosts`, of all lanes together at most `room`,
-- and no more than the limits allow. A lock, held until the transaction ends, lets one worker at a time claim from a
-- limited lane. The next worker counts after the first has committed, because each statement here sees what was
-- committed before it. So no limit is ever exceeded. `wait_for_lock` false: skip a lane whose lock another worker has.
--
-- `bytes`: the payloads of all claimed jobs together have at most so many; the first job is claimed whatever it has.
--
-- A row with a lease id is a lease, as other claims return it. A row without one says when to claim again:
-- `retry_after` is in microseconds; 0 means that another worker could claim more at once. A lane with nothing but
-- counts needs two statements.
CREATE FUNCTION :"schema".claim_limited(worker_id int4, wait_for_lock bool, room int4, lanes int4[], mosts int4[],
    max_attempts int2[], bytes int8)
RETURNS TABLE (lease int8, place tid, of_lane int4, job_ids int8[], job_ranks int8[], job_attempts int2[],
               job_bodies bytea[], job_headers text[], job_flags int2[], job_times timestamptz[], job_expiries int8[],
               claim_time timestamptz, retry_after int8)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    lock_space int8 := (SELECT relnamespace::int8 << 32 FROM pg_class WHERE oid = 'lane_limit'::regclass);
    want record;
    m record;
    now_ timestamptz;
    free int8;
    most_ int8;
    tokens_ float8;
    picked tid[];
    taken int8;
    cut bool;
    rest int8;
BEGIN
    -- Everybody who may connect can take an advisory lock, so a worker waits for it for a limited time. Then it skips
    -- the locked lanes, and returns.
    IF wait_for_lock THEN
        PERFORM set_config('lock_timeout', '500ms', true);
        BEGIN
            PERFORM pg_advisory_xact_lock(lock_space + k.id) FROM (
                SELECT DISTINCT l.id FROM lane a JOIN lane_limit l ON l.queue = a.queue
                    AND l.entrypoint IN ('', a.entrypoint)
                 WHERE a.id = ANY (lanes) ORDER BY l.id) k;
        EXCEPTION WHEN lock_not_available THEN wait_for_lock := false;
        END;
        PERFORM set_config('lock_timeout', '0', true);
    END IF;
    -- This takes the locks of the lanes, before any statement below counts the running jobs.
    FOR want IN
        SELECT w.lane, w.most, w.max_attempts, array_agg(l.id) FILTER (WHERE l.id IS NOT NULL) AS limits,
               coalesce(bool_and(wait_for_lock OR pg_try_advisory_xact_lock(lock_space + l.id))
                   FILTER (WHERE l.id IS NOT NULL), true) AS open,
               coalesce(bool_or(l.kind = 'c'), false) AS counted, coalesce(bool_or(l.kind <> 'c'), false) AS otherwise
          FROM unnest(lanes, mosts, max_attempts) WITH ORDINALITY w(lane, most, max_attempts, o)
          JOIN lane a ON a.id = w.lane
          LEFT JOIN lane_limit l ON l.queue = a.queue AND l.entrypoint IN ('', a.entrypoint)
         WHERE NOT is_paused(w.lane)
         GROUP BY w.o, w.lane, w.most, w.max_attempts ORDER BY w.o
    LOOP
        IF NOT want.open THEN
            lease := NULL; job_ids := NULL; job_ranks := NULL; job_attempts := NULL;
            job_bodies := NULL; job_headers := NULL;
            job_flags := NULL; job_times := NULL; job_expiries := NULL; of_lane := want.lane; retry_after := 2000;
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
                    SELECT coalesce(sum(cardinality(e.ids) 
                                        - CASE WHEN e.done IS NULL THEN 0 ELSE bit_count(e.done) END), 0)
                      FROM lease e WHERE e.limited AND e.lane = ANY (ARRAY(
                        SELECT a.id FROM lane a WHERE a.queue = l.queue
                            AND (l.entrypoint = '' OR a.entrypoint = l.entrypoint)))))
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
                        least(m.burst,
                              m.tokens + greatest(extract(epoch FROM now_ - m.tokens_at)::float8, 0) / m.each) END;
                    IF tokens_ < free THEN
                        free := floor(tokens_);
                        -- Wait for tokens for several jobs: otherwise each job costs a claim.
                        rest := greatest((greatest(1, m.burst / 4) + free - tokens_) * m.each * 1000000, 1000)::int8;
                    END IF;
                ELSIF free > 0 THEN
                    picked := select_by_key_limit(want.lane, m.lanes, m.amount, free);
                END IF;
            END LOOP;
        END IF;

        taken := 0;
        cut := free > 0 AND bytes <= 0;
        IF free > 0 AND bytes > 0 THEN
            picked := coalesce(picked, ARRAY(
                SELECT c.ctid FROM ready c WHERE c.lane = want.lane
                 ORDER BY c.rank, c.id LIMIT free FOR UPDATE SKIP LOCKED));
            WITH got AS (
                -- The inner select: its functions are volatile, and without it the server would read the whole table.
                DELETE FROM ready r WHERE r.ctid = ANY ((
                    SELECT CASE WHEN cardinality(picked) < 2 OR cardinality(picked)::int8 * 2048 <= bytes
                         AND pg_relation_size((
                             SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = 'ready'::regclass)::regclass) = 0
                         THEN picked ELSE fitting(picked, bytes) END)::tid[])
                RETURNING r.*)
            INSERT INTO lease AS e (worker, lane, limited, max_attempts, ids, ranks, attempts, flags, headers, keys,
                bodies, enqueued_at)
            SELECT worker_id, want.lane, want.limits IS NOT NULL, want.max_attempts, array_agg(g.id), array_agg(g.rank),
                   array_agg((least(g.attempts, 32766) + 1)::int2),
                   CASE WHEN count(g.flags) > 0 THEN array_agg(g.flags) END,
                   CASE WHEN count(g.headers) > 0 THEN array_agg(g.headers) END,
                   CASE WHEN count(g.key) > 0 THEN array_agg(g.key) END, array_agg(g.body), array_agg(g.enqueued_at)
              FROM got g HAVING count(*) > 0
            RETURNING e.id, e.ctid, e.lane, e.ids, e.ranks, e.attempts, e.bodies,
                   CASE WHEN e.headers IS NOT NULL THEN header_rows(e.headers) END, e.flags, e.enqueued_at,
                   CASE WHEN e.flags IS NOT NULL THEN expires_in(e.ids, e.attempts) END, e.claimed_at, NULL::int8
                 INTO lease, place, of_lane, job_ids, job_ranks, job_attempts, job_bodies, job_headers, job_flags,
                     job_times, job_expiries, claim_time, retry_after;
            IF FOUND THEN
                taken := cardinality(job_ids);
                cut := taken < cardinality(picked);
                IF cardinality(lanes) > 1 THEN
                    bytes := bytes - (SELECT sum(octet_length(b)) FROM unnest(job_bodies) b);
                END IF;
                RETURN NEXT;
                IF want.otherwise THEN
                    UPDATE lane_limit l
                       SET tokens = least(l.burst,
                                          l.tokens + greatest(extract(epoch FROM now_ - l.tokens_at)::float8, 0)
                                           * l.amount / extract(epoch FROM l.per)::float8) - taken, tokens_at = now_
                     WHERE l.id = ANY (want.limits) AND l.kind = 'r';
                END IF;
            END IF;
        END IF;

        -- When and by whom the rest of the lane can be claimed.
        lease := NULL; job_ids := NULL; job_ranks := NULL; job_attempts := NULL;
            job_bodies := NULL; job_headers := NULL;
        job_flags := NULL; job_times := NULL; job_expiries := NULL; of_lane := want.lane; retry_after := NULL;
        room := room - taken;
        IF taken = most_ OR cut THEN retry_after := 0;
        ELSIF rest IS NOT NULL AND taken >= free THEN retry_after := rest;
        END IF;
        IF retry_after IS NOT NULL AND EXISTS (SELECT FROM ready r WHERE r.lane = want.lane) THEN RETURN NEXT; END IF;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION :"schema".running_by_key, :"schema".select_by_key_limit, :"schema".claim_limited FROM PUBLIC;
