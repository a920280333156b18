-- The same functions with plans that stay good and fewer steps, and a way to be rid of dead rows that VACUUM has to leave. See
-- docs/design/speed.md for the reasons and the numbers.

-- Of jobs that are neither held nor blocked the lanes are asked for, too.
CREATE INDEX deferred_open ON :"schema".deferred (lane) WHERE kind <> 'h';

-- Functions keep the plans of their first calls, perhaps from when the tables were empty. With these settings a plan that reads a whole
-- table is never one of them, whatever the statistics say.
ALTER FUNCTION :"schema".watch(int8[], int4, interval)
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off;
ALTER FUNCTION :"schema".requeue(int8[])
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off;
ALTER FUNCTION :"schema".fail_blocked(int8[], "char"[], text[])
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off;
ALTER FUNCTION :"schema".unblock(int8[])
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off;

-- As before. What is joined with `tracked` is never joined with itself: without hashes that would be each with each.
CREATE OR REPLACE FUNCTION :"schema".ended(ids int8[], kinds "char"[], tries int2[], reasons text[], results bytea[]) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
#variable_conflict use_column
DECLARE
    heard int4[];
    children int8[];
    free int8[];
    dead int8[];
    why text[];
    what "char"[];
BEGIN
    PERFORM FROM tracked WHERE id = ANY (ids || ARRAY(SELECT child FROM dependency WHERE parent = ANY (ids)))
      ORDER BY id FOR UPDATE;
    WITH e AS MATERIALIZED (SELECT * FROM unnest(ids, kinds, tries, reasons, results) u(id, kind, attempts, reason, result)),
    gone AS (DELETE FROM tracked t USING e, lane a WHERE t.id = e.id AND a.id = t.lane AND (e.kind <> 'h' OR a.dead_letters IS NOT NULL)
             RETURNING t.id, t.lane, t.digest, t.keep, t.waiters, false AS held, e.kind, e.attempts, e.reason, e.result),
    kept AS (UPDATE tracked t SET held = true FROM e, lane a
              WHERE t.id = e.id AND a.id = t.lane AND e.kind = 'h' AND a.dead_letters IS NULL
             RETURNING t.id, t.lane, t.digest, t.keep, t.waiters, true AS held, e.kind, e.attempts, e.reason, e.result),
    every AS MATERIALIZED (SELECT * FROM gone UNION ALL SELECT * FROM kept),
    keys AS (DELETE FROM unique_key k USING every b WHERE k.digest = b.digest AND k.job = b.id AND k.until IS NULL),
    told AS (
        INSERT INTO outcome AS o (id, lane, kind, attempts, keep_until, reason, result)
        SELECT b.id, b.lane, b.kind, b.attempts, CASE WHEN b.held THEN 'infinity' ELSE now() + b.keep END,
               nullif(b.reason, ''), b.result
          FROM every b WHERE b.keep IS NOT NULL
            ON CONFLICT (id) DO UPDATE SET kind = EXCLUDED.kind, attempts = EXCLUDED.attempts, ended_at = now(),
               keep_until = EXCLUDED.keep_until, reason = EXCLUDED.reason, result = EXCLUDED.result)
    SELECT array_agg(DISTINCT w) INTO heard FROM every b CROSS JOIN LATERAL unnest(b.waiters) w;
    IF heard IS NOT NULL THEN
        PERFORM pg_notify('pgq_' || space() || '_w' || w, '') FROM unnest(heard) w;
    END IF;

    -- In two steps: in one the server may read all of the index that has the children in order.
    children := ARRAY(SELECT DISTINCT d.child FROM (SELECT child FROM dependency WHERE parent = ANY (ids) OFFSET 0) d ORDER BY 1);
    IF cardinality(children) = 0 THEN RETURN 0; END IF;
    PERFORM FROM tracked WHERE id = ANY (children) ORDER BY id FOR UPDATE;
    WITH cut AS (
        DELETE FROM dependency d USING unnest(ids, kinds) e(id, kind) WHERE d.parent = e.id RETURNING d.child, d.parent, e.kind),
    each_child AS (
        SELECT child, count(*)::int4 AS n, min(parent) FILTER (WHERE kind <> 'd') AS culprit,
               min(kind::text) FILTER (WHERE kind <> 'd') AS how FROM cut GROUP BY child),
    less AS (
        UPDATE tracked t SET waits_for = t.waits_for - c.n FROM each_child c WHERE t.id = c.child
        RETURNING t.id, t.waits_for, t.if_failed, c.culprit, c.how)
    SELECT array_agg(id) FILTER (WHERE waits_for = 0 AND (culprit IS NULL OR if_failed = 'r')),
           array_agg(id) FILTER (WHERE culprit IS NOT NULL AND if_failed <> 'r'),
           array_agg(if_failed) FILTER (WHERE culprit IS NOT NULL AND if_failed <> 'r'),
           array_agg('it waited for job ' || culprit || ', which ' || CASE how WHEN 'h' THEN 'failed for good'
               WHEN 'c' THEN 'was cancelled' WHEN 'e' THEN 'expired' ELSE 'was discarded' END)
               FILTER (WHERE culprit IS NOT NULL AND if_failed <> 'r')
      INTO free, dead, what, why FROM less;
    IF free IS NOT NULL THEN PERFORM unblock(free); END IF;
    IF dead IS NOT NULL THEN PERFORM fail_blocked(dead, what, why); END IF;
    RETURN coalesce(cardinality(free), 0);
END $$;

-- As before, and no further than the bound.
CREATE OR REPLACE FUNCTION :"schema".open_jobs(of_lane int4, most int8) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    n int8 := (SELECT count(*) FROM (SELECT FROM ready WHERE lane = of_lane LIMIT most) r);
BEGIN
    IF n < most THEN
        n := n + (SELECT count(*) FROM (SELECT FROM deferred WHERE lane = of_lane AND kind <> 'h' LIMIT most - n) d);
    END IF;
    IF n < most THEN
        n := n + (SELECT coalesce(sum(cardinality(ids) - CASE WHEN done IS NULL THEN 0 ELSE bit_count(done) END), 0)::int8
                    FROM lease WHERE lane = of_lane);
    END IF;
    RETURN least(n, most);
END $$;

-- As before; what is known already costs a look at two indexes.
CREATE OR REPLACE FUNCTION :"schema".track(which int8[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = on AS $$
#variable_conflict use_column
DECLARE
    missing int8[];
BEGIN
    FOR i IN 1..100 LOOP
        missing := ARRAY(SELECT w FROM unnest(which) w WHERE NOT EXISTS (SELECT FROM tracked t WHERE t.id = w)
                                                         AND NOT EXISTS (SELECT FROM outcome o WHERE o.id = w));
        EXIT WHEN cardinality(missing) = 0;
        -- All in one snapshot: a job that moves from one table to another is never missed between the two.
        missing := ARRAY(
            SELECT id FROM ready WHERE id = ANY (missing)
            UNION SELECT id FROM deferred WHERE id = ANY (missing)
            UNION SELECT j.id FROM lease e, unnest(e.ids) WITH ORDINALITY j(id, o)
                   WHERE j.id = ANY (missing) AND (e.done IS NULL OR get_bit(e.done, j.o::int - 1) = 0));
        EXIT WHEN cardinality(missing) = 0;
        WITH d AS (UPDATE deferred SET flags = coalesce(flags, 0) | 1 WHERE id = ANY (missing) RETURNING id, lane, rank, kind),
        r AS (UPDATE ready SET flags = coalesce(flags, 0) | 1 WHERE id = ANY (missing) RETURNING id, lane, rank),
        e AS (
            UPDATE lease l SET flags = (
                SELECT array_agg(CASE WHEN j.id = ANY (missing) THEN (coalesce(l.flags[j.o], 0) | 1)::int2 ELSE l.flags[j.o] END
                                 ORDER BY j.o) FROM unnest(l.ids) WITH ORDINALITY j(id, o))
             WHERE EXISTS (SELECT FROM unnest(l.ids) j WHERE j = ANY (missing))
            RETURNING l.*)
        INSERT INTO tracked (id, lane, rank, held)
        SELECT id, lane, rank, kind = 'h' FROM d UNION ALL SELECT id, lane, rank, false FROM r
        UNION ALL SELECT j.id, e.lane, j.rank, false FROM e, unnest(e.ids, e.ranks) WITH ORDINALITY j(id, rank, o)
                   WHERE j.id = ANY (missing) AND (e.done IS NULL OR get_bit(e.done, j.o::int - 1) = 0)
            ON CONFLICT DO NOTHING;
    END LOOP;
END $$;

-- As before. Jobs without a key, which programs without the limiter enqueue, are looked for no further than sixteen fronts: there is no
-- index of them, and the lane may be long.
CREATE OR REPLACE FUNCTION :"schema".keyed_front(of_lane int4, of_lanes int4[], amount int4, most int8) RETURNS tid[]
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

-- As before, in fewer steps: where nothing but counts limit a lane, two statements are all.
CREATE OR REPLACE FUNCTION :"schema".claim_limited(me int4, patient bool, room int4, lanes int4[], mosts int4[], max_attempts int2[])
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

-- As before. What is of all jobs is taken from the arrays in one go, and keys that nobody has at once.
CREATE OR REPLACE FUNCTION :"schema".enqueue_tracked(
    lanes int4[], priorities int2[], run_kinds int2[], run_us int8[], exp_kinds int2[], exp_us int8[], bodies bytea[],
    head_of int4[], head_names text[], head_values text[], limit_keys text[],
    unique_keys text[], scopes "char"[], periods int8[], conflicts "char"[],
    late_kinds int2[], late_us int8[], hold_lates bool[], keeps int8[], if_faileds "char"[], children int4[], parents int8[],
    bounds int8[])
RETURNS TABLE (job int8, fresh bool)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
#variable_conflict use_column
DECLARE
    now_ timestamptz := statement_timestamp();
    n int4 := cardinality(lanes);
    ids int8[] := ARRAY(SELECT nextval('job_id') FROM generate_series(1, n));
    fresh_ bool[] := array_fill(true, ARRAY[n]);
    digests bytea[];
    heads jsonb[] := array_fill(NULL::jsonb, ARRAY[n]);
    rival record;
    place record;
    waits int4[] := array_fill(0, ARRAY[n]);
    failed int8[] := array_fill(NULL::int8, ARRAY[n]);
    ancestors int8[] := ARRAY(SELECT DISTINCT p FROM unnest(parents) p WHERE p > 0);
    locked int8[];
    was_ids int8[];
    was_bodies bytea[];
    was_kinds int2[];
    was_us int8[];
    edge record;
    taken int4;
    all_free bool := false;
    dead int8[];
    dead_kinds "char"[];
BEGIN
    IF EXISTS (SELECT FROM unnest(unique_keys) k WHERE k <> '') THEN
        digests := ARRAY(
            SELECT CASE WHEN u.k <> '' THEN
                       sha256(convert_to(l.queue, 'UTF8') || '\x00'::bytea || convert_to(l.entrypoint, 'UTF8') || '\x00'::bytea
                              || convert_to(u.k, 'UTF8')) END
              FROM unnest(lanes, unique_keys) WITH ORDINALITY u(lane, k, o) JOIN lane l ON l.id = u.lane ORDER BY u.o);
    END IF;
    IF cardinality(ancestors) > 0 THEN PERFORM track(ancestors); END IF;
    -- Neither parents nor those that have the keys end before this has. A parent that is not locked, because its enqueue has not been
    -- committed yet, is not known.
    IF digests IS NULL AND cardinality(ancestors) > 0 THEN
        locked := ARRAY(SELECT t.id FROM tracked t WHERE t.id = ANY (ancestors) ORDER BY t.id FOR NO KEY UPDATE);
    END IF;
    was_ids := ids; was_bodies := bodies; was_kinds := run_kinds; was_us := run_us;
    -- Nearly always all keys are free: then one insert takes them.
    IF digests IS NOT NULL AND NOT EXISTS (SELECT FROM unique_key k WHERE k.digest = ANY (digests)) THEN BEGIN
        locked := ARRAY(SELECT t.id FROM tracked t WHERE t.id = ANY (ancestors) ORDER BY t.id FOR NO KEY UPDATE);
        INSERT INTO unique_key (digest, job, scope, until)
        SELECT u.digest, u.id, u.scope, CASE WHEN u.scope = 'p' THEN now_ + u.period * interval '1 microsecond' END
          FROM unnest(digests, ids, scopes, periods) u(digest, id, scope, period) WHERE u.digest IS NOT NULL ORDER BY u.digest
            ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF taken <> cardinality(array_remove(digests, NULL)) THEN RAISE EXCEPTION USING ERRCODE = 'PQ003'; END IF;
        all_free := true;
    EXCEPTION WHEN SQLSTATE 'PQ003' THEN  -- one of them twice, or somebody came first: one by one
    END; END IF;
    FOR turn IN 1..20 LOOP BEGIN
        EXIT WHEN digests IS NULL OR all_free;
        ids := was_ids; bodies := was_bodies; run_kinds := was_kinds; run_us := was_us; fresh_ := array_fill(true, ARRAY[n]);
        locked := ARRAY(
            SELECT t.id FROM tracked t
             WHERE t.id = ANY (ancestors || ARRAY(SELECT k.job FROM unique_key k WHERE k.digest = ANY (digests)))
             ORDER BY t.id FOR NO KEY UPDATE);
        -- In one order, so that two batches never wait for each other.
        FOR rival IN SELECT i, digests[i] AS digest, unique_keys[i] AS name, scopes[i] AS scope, conflicts[i] AS conflict,
                            CASE WHEN scopes[i] = 'p' THEN now_ + periods[i] * interval '1 microsecond' END AS until,
                            CASE run_kinds[i] WHEN 1 THEN now_ + run_us[i] * interval '1 microsecond'
                                WHEN 2 THEN 'epoch'::timestamptz + run_us[i] * interval '1 microsecond' END AS at
                       FROM generate_series(1, n) i WHERE digests[i] IS NOT NULL ORDER BY digests[i], i LOOP
            LOOP
                INSERT INTO unique_key AS k (digest, job, scope, until)
                VALUES (rival.digest, ids[rival.i], rival.scope, rival.until)
                    ON CONFLICT (digest) DO UPDATE SET job = EXCLUDED.job, scope = EXCLUDED.scope, until = EXCLUDED.until
                       WHERE k.until <= clock_timestamp();
                EXIT WHEN FOUND;
                SELECT k.job AS id, k.scope, k.job = ANY (ids) AS mine, t.lane, t.rank INTO place
                  FROM unique_key k LEFT JOIN tracked t ON t.id = k.job WHERE k.digest = rival.digest FOR UPDATE OF k;
                CONTINUE WHEN NOT FOUND;  -- it ended in between
                IF NOT place.mine AND place.id <> ALL (locked) AND place.lane IS NOT NULL THEN  -- it took the key in between
                    IF turn < 20 THEN RAISE EXCEPTION USING ERRCODE = 'PQ003'; END IF;
                    locked := locked || ARRAY(SELECT t.id FROM tracked t WHERE t.id = place.id FOR NO KEY UPDATE);
                END IF;
                IF place.mine THEN  -- the first of this call wins
                    IF rival.conflict = 'e' THEN PERFORM refuse_key(rival.name, place.id); END IF;
                    IF rival.conflict IN ('r', 'd') THEN
                        bodies[array_position(ids, place.id)] := bodies[rival.i];
                        IF rival.conflict = 'd' THEN
                            run_kinds[array_position(ids, place.id)] := run_kinds[rival.i];
                            run_us[array_position(ids, place.id)] := run_us[rival.i];
                        END IF;
                    END IF;
                ELSE
                    IF place.scope = 'w' THEN
                        PERFORM FROM ready r WHERE r.lane = place.lane AND r.rank = place.rank AND r.id = place.id FOR UPDATE;
                        IF NOT FOUND THEN PERFORM FROM deferred d WHERE d.id = place.id FOR UPDATE; END IF;
                    END IF;
                    IF place.scope = 'w' AND NOT FOUND
                       -- With the old payload: the new one becomes a job of its own, which has the key from now on.
                       OR rival.conflict IN ('r', 'd') AND NOT replace_waiting(place.id, place.lane, place.rank,
                                                               bodies[rival.i], rival.conflict = 'd', rival.at) THEN
                        UPDATE unique_key k SET job = ids[rival.i], scope = rival.scope, until = rival.until
                         WHERE k.digest = rival.digest;
                        EXIT;
                    END IF;
                    IF rival.conflict = 'e' THEN PERFORM refuse_key(rival.name, place.id); END IF;
                END IF;
                ids[rival.i] := place.id;
                fresh_[rival.i] := false;
                EXIT;
            END LOOP;
        END LOOP;
        EXIT;
    EXCEPTION WHEN SQLSTATE 'PQ003' THEN  -- anew, in the order of locks
    END; END LOOP;

    FOR place IN SELECT b.lane, min(b.bound) AS bound, count(*) AS n
                   FROM (SELECT lanes[i] AS lane, nullif(bounds[i], 0) AS bound FROM generate_series(1, n) i WHERE fresh_[i]) b
                  GROUP BY b.lane HAVING min(b.bound) IS NOT NULL ORDER BY b.lane LOOP
        PERFORM pg_advisory_xact_lock(('ready'::regclass::oid::int8 << 32) | place.lane);
        IF open_jobs(place.lane, place.bound) + place.n > place.bound THEN
            RAISE EXCEPTION 'the lane is full' USING ERRCODE = 'PQ002',
                  DETAIL = 'It has ' || open_jobs(place.lane, place.bound) || ' of at most ' || place.bound || ' jobs, and '
                           || place.n || ' more were to be enqueued.';
        END IF;
    END LOOP;

    IF cardinality(children) > 0 THEN
        FOR edge IN SELECT DISTINCT c.child, x.parent, coalesce(fresh_[array_position(ids, x.parent)], false) AS here,
                           t.id = ANY (locked) AND NOT t.held AS open, t.held OR o.kind <> 'd' AS bad
                      FROM unnest(children, parents) c(child, parent)
                     CROSS JOIN LATERAL (SELECT CASE WHEN c.parent < 0 THEN ids[(-c.parent)::int4] ELSE c.parent END AS parent) x
                      LEFT JOIN tracked t ON t.id = x.parent LEFT JOIN outcome o ON o.id = x.parent LOOP
            CONTINUE WHEN NOT fresh_[edge.child];
            IF edge.here OR edge.open THEN
                INSERT INTO dependency (parent, child) VALUES (edge.parent, ids[edge.child]);
                waits[edge.child] := waits[edge.child] + 1;
            ELSIF edge.bad AND if_faileds[edge.child] <> 'r' THEN
                failed[edge.child] := edge.parent;
            END IF;
        END LOOP;
    END IF;

    FOR rival IN SELECT h.o, jsonb_object_agg(h.name, h.value) AS headers FROM unnest(head_of, head_names, head_values) h(o, name, value)
                  GROUP BY h.o LOOP
        heads[rival.o] := rival.headers;
    END LOOP;
    WITH item AS MATERIALIZED (
        SELECT u.i, u.id, u.lane, u.headers, u.body, u.key, u.waits_for, u.culprit, coalesce(u.if_failed, 'h') AS if_failed,
               CASE u.run_kind WHEN 1 THEN now_ + u.run_us * interval '1 microsecond'
                               WHEN 2 THEN 'epoch'::timestamptz + u.run_us * interval '1 microsecond' END AS run_at,
               CASE u.late_kind WHEN 1 THEN now_ + u.late_us * interval '1 microsecond'
                                WHEN 2 THEN 'epoch'::timestamptz + u.late_us * interval '1 microsecond' END AS expires_at,
               ((~ u.priority::int4)::int8 << 48) | CASE u.exp_kind
                   WHEN 1 THEN greatest(0, least(281474976710654, (extract(epoch FROM now_) * 1000)::int8 + u.exp_us / 1000))
                   WHEN 2 THEN greatest(0, least(281474976710654, u.exp_us / 1000))
                   ELSE 281474976710655 END AS rank,
               u.digest, u.unique_key, coalesce(u.hold_late, false) AS hold_late,
               CASE WHEN u.keep > 0 THEN u.keep * interval '1 microsecond' END AS keep,
               coalesce(u.digest IS NOT NULL OR u.late_kind <> 0 OR u.keep > 0
                        OR u.i = ANY (children) OR -u.i = ANY (parents), false) AS follow
          FROM unnest(ids, lanes, heads, bodies, limit_keys, waits, failed, if_faileds, run_kinds, run_us, late_kinds, late_us,
                      priorities, exp_kinds, exp_us, digests, unique_keys, hold_lates, keeps, fresh_)
               WITH ORDINALITY u(id, lane, headers, body, key, waits_for, culprit, if_failed, run_kind, run_us, late_kind, late_us,
                                 priority, exp_kind, exp_us, digest, unique_key, hold_late, keep, fresh, i)
         WHERE u.fresh),
    known AS (
        INSERT INTO tracked (id, lane, rank, digest, unique_key, waits_for, if_failed, run_at, expires_at, hold_late, keep)
        SELECT id, lane, rank, digest, unique_key, waits_for, if_failed, run_at, expires_at, hold_late, keep
          FROM item WHERE follow),
    begin_ AS (
        INSERT INTO ready (id, rank, lane, flags, headers, key, body)
        SELECT id, rank, lane, CASE WHEN follow THEN 1 END, headers, key, body FROM item
         WHERE waits_for = 0 AND culprit IS NULL AND (run_at IS NULL OR run_at <= now_) ORDER BY i),
    wait AS (
        INSERT INTO deferred (run_at, kind, id, rank, lane, flags, headers, key, body)
        SELECT CASE WHEN waits_for > 0 OR culprit IS NOT NULL THEN 'infinity' ELSE run_at END,
               CASE WHEN waits_for > 0 OR culprit IS NOT NULL THEN 'b' ELSE 'd' END,
               id, rank, lane, CASE WHEN follow THEN 1 END, headers, key, body FROM item
         WHERE waits_for > 0 OR culprit IS NOT NULL OR run_at > now_)
    SELECT array_agg(id), array_agg(if_failed) INTO dead, dead_kinds FROM item WHERE culprit IS NOT NULL;
    IF dead IS NOT NULL THEN
        PERFORM fail_blocked(dead, dead_kinds, ARRAY(
            SELECT 'it waited for job ' || failed[i] || ', which had not succeeded' FROM generate_series(1, n) i
             WHERE failed[i] IS NOT NULL ORDER BY i));
    END IF;
    RETURN QUERY SELECT u.id, u.fresh FROM unnest(ids, fresh_) WITH ORDINALITY u(id, fresh, i) ORDER BY u.i;
END $$;

-- How far those were who had the four turns of a lane, when there are many workers: see statement/claim.hpp.
CREATE TABLE :"schema".turn (
    lane   int4 NOT NULL,
    number int2 NOT NULL,
    rank   int8 NOT NULL DEFAULT -9223372036854775808,
    id     int8 NOT NULL DEFAULT -9223372036854775808,
    PRIMARY KEY (lane, number)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);
INSERT INTO :"schema".turn (lane, number) SELECT l.id, n FROM :"schema".lane l, generate_series(1, 4) n;
-- Who may make a lane need not be allowed to do this.
CREATE FUNCTION :"schema".add_turns() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO turn (lane, number) SELECT NEW.id, n FROM generate_series(1, 4) n;
    RETURN NULL;
END $$;
CREATE TRIGGER lane_turns AFTER INSERT ON :"schema".lane FOR EACH ROW EXECUTE FUNCTION :"schema".add_turns();

-- What a table holds while it is written anew.
CREATE UNLOGGED TABLE :"schema".ready_rest (LIKE :"schema".ready INCLUDING STORAGE);
CREATE UNLOGGED TABLE :"schema".lease_rest (LIKE :"schema".lease INCLUDING STORAGE);
CREATE UNLOGGED TABLE :"schema".turn_rest (LIKE :"schema".turn);

-- While anybody holds an old snapshot VACUUM leaves every row that has gone since, and each claim that begins at the start of a lane looks
-- at all of them. But jobs move on quickly, and few rows are left: these are written anew, and the rest goes with the file. Only
-- where it is worth it, and where nobody has to wait for longer than 20 ms; true when it was done, to one of the tables: who has the
-- lock of one waits for no other, because a claim needs both.
--
-- Who has a snapshot from before sees the tables empty from then on, as after any TRUNCATE: see docs/operations.md.
-- SET pgq.compact = off forbids it.
CREATE FUNCTION :"schema".compact(dead_jobs int8 DEFAULT 200000, dead_leases int8 DEFAULT 20000, dead_turns int8 DEFAULT 10000)
RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET lock_timeout = '20ms' AS $$
DECLARE
    t record;
    n int8;
    size_ int8;
BEGIN
    -- Each statement has to see what was committed before it: an older snapshot would lose what has come since.
    IF current_setting('transaction_isolation') <> 'read committed' OR current_setting('pgq.compact', true) = 'off'
       OR NOT pg_try_advisory_xact_lock('lease'::regclass::oid::int8 << 32) THEN
        RETURN false;
    END IF;
    FOR t IN SELECT * FROM (VALUES ('turn', 'rank', dead_turns, 10000), ('lease', 'bodies', dead_leases, 1000),
                                   ('ready', 'body', dead_jobs, 10000)) v(name, payload, dead, most) LOOP
        -- As the statistics have it, before anything is counted.
        CONTINUE WHEN coalesce(pg_stat_get_dead_tuples(t.name::regclass), 0) < t.dead
                   OR coalesce(pg_stat_get_live_tuples(t.name::regclass), 0) > 2 * t.most;
        EXECUTE format('SELECT count(*), coalesce(sum(pg_column_size(%1$I)), 0) FROM (SELECT %1$I FROM %2$I LIMIT %3$s) r',
                       t.payload, t.name, t.most + 1) INTO n, size_;
        CONTINUE WHEN n > t.most OR size_ > 16777216;
        BEGIN
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', t.name);
            EXECUTE format('INSERT INTO %I SELECT * FROM %I', t.name || '_rest', t.name);
            GET DIAGNOSTICS n = ROW_COUNT;
            EXECUTE format('TRUNCATE %I', t.name);
            IF n > 0 THEN
                EXECUTE format('INSERT INTO %I OVERRIDING SYSTEM VALUE SELECT * FROM %I', t.name, t.name || '_rest');
                EXECUTE format('TRUNCATE %I', t.name || '_rest');
            END IF;
            RETURN true;
        EXCEPTION WHEN lock_not_available OR insufficient_privilege THEN
        END;
    END LOOP;
    RETURN false;
END $$;
