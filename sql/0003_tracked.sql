-- Tracked jobs: jobs with a unique key, an expiry, dependencies, a kept outcome, progress or somebody who waits for
-- their end. docs/design/delivery.md gives the reasons.

-- One row for each tracked job that has not ended. Its lane and rank find it in `ready` by the index.
-- if_parent_fails: r run, h hold, c cancel. hold_expired: hold the job instead of dropping it when it expires.
-- overdue: the job was in a lease when its time ran out. Whether it has begun is known when it leaves the lease.
-- keep_for: how long the outcome is kept. waiters: the numbers of the channels to notify when the job ends.
CREATE TABLE :"schema".tracked (
    id              int8 PRIMARY KEY,
    lane            int4 NOT NULL,
    rank            int8 NOT NULL,
    held            bool NOT NULL DEFAULT false,
    digest          bytea,
    unique_key      text,
    waits_for       int4 NOT NULL DEFAULT 0,
    if_parent_fails "char" NOT NULL DEFAULT 'h' CHECK (if_parent_fails IN ('r', 'h', 'c')),
    run_at          timestamptz,
    expires_at      timestamptz,
    hold_expired    bool NOT NULL DEFAULT false,
    overdue         bool NOT NULL DEFAULT false,
    keep_for        interval,
    waiters         int4[],
    progress        text,
    CONSTRAINT tracked_keep_for CHECK (keep_for <= '1000 years')  -- more than a timestamp can hold fails the job's end
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX tracked_expiry ON :"schema".tracked (expires_at)
    WHERE expires_at IS NOT NULL AND NOT held AND NOT overdue;
CREATE INDEX tracked_overdue ON :"schema".tracked (id) WHERE overdue;

-- Unique keys that jobs hold now. scope: f until the job has finished, w while it waits, p for a period, `until` a
-- moment. The digest is of queue, entrypoint and key, because the key may have any length.
CREATE TABLE :"schema".unique_key (
    digest bytea PRIMARY KEY,
    job_id int8 NOT NULL,
    scope  "char" NOT NULL CHECK (scope IN ('f', 'w', 'p')),
    until  timestamptz
);
CREATE INDEX unique_key_until ON :"schema".unique_key (until) WHERE until IS NOT NULL;

-- Calls that have enqueued jobs, by the request ids that their callers gave them, until `until`. `jobs` and `fresh` are
-- the answer of the call: the ids, and which of them it has made. The digest is of queue and request id.
CREATE TABLE :"schema".request (
    digest bytea PRIMARY KEY,
    jobs   int8[] NOT NULL,
    fresh  bool[] NOT NULL,
    until  timestamptz NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX request_until ON :"schema".request (until);

-- A blocked child and a parent it waits for.
CREATE TABLE :"schema".dependency (
    parent int8 NOT NULL,
    child  int8 NOT NULL,
    PRIMARY KEY (parent, child)
);
CREATE INDEX dependency_child ON :"schema".dependency (child);

-- How a job ended, until `keep_until`. kind: d done, x discarded, c cancelled, h held, e expired.
CREATE TABLE :"schema".outcome (
    id         int8 PRIMARY KEY,
    lane       int4 NOT NULL,
    kind       "char" NOT NULL,
    attempts   int2 NOT NULL,
    ended_at   timestamptz NOT NULL DEFAULT now(),
    keep_until timestamptz NOT NULL,
    reason     text,
    result     bytea
);
CREATE INDEX outcome_keep ON :"schema".outcome (keep_until);
ALTER TABLE :"schema".outcome ALTER result SET STORAGE EXTERNAL;

-- The failed attempts, for people.
CREATE TABLE :"schema".failure (
    id        int8 NOT NULL,
    lane      int4 NOT NULL,
    attempt   int2 NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now(),
    reason    text NOT NULL
);
ALTER TABLE :"schema".failure REPLICA IDENTITY FULL;
CREATE INDEX failure_id ON :"schema".failure (id);
CREATE INDEX failure_lane ON :"schema".failure (lane, failed_at);

-- The oid of this schema as a signed number: it is part of the names of the notification channels.
CREATE FUNCTION :"schema".schema_id() RETURNS int4
LANGUAGE sql STABLE SET search_path = :"schema", pg_catalog, pg_temp AS $$
    SELECT ((oid::int8 + 2147483648) % 4294967296 - 2147483648)::int4 FROM pg_namespace WHERE nspname = current_schema()
$$;

-- SECURITY DEFINER: a role that may call one of these functions does what the function does and nothing else. It needs
-- no right on the tables, and so no producer reads payloads. PUBLIC may call none of them.
--
-- All functions lock in one order: leases, rows of `tracked` by id, keys by digest, rows of jobs. A function locks all
-- ids that it knows of at once.
--
-- A function keeps the plans of its first calls, perhaps from when the tables were empty. A function in the language
-- SQL does so since PostgreSQL 18. The settings of the functions below forbid plans that read a whole table, whatever
-- the statistics say. They also forbid hash joins, so no statement joins what belongs to `tracked` with itself: a
-- nested loop would compare each row with each.

-- Ends tracked jobs: notifies waiters, frees keys, unblocks children. The caller removes the rows of the jobs in the
-- same transaction. Each statement sees what was committed before it. A transaction that enqueues a child locks the
-- rows of its parents, so this function waits for it and then finds the dependency. Returns how many children can
-- start.
CREATE FUNCTION :"schema".end_tracked(ids int8[], kinds "char"[], tries int2[], reasons text[], results bytea[])
RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
#variable_conflict use_column
DECLARE
    notified int4[];
    children int8[];
    free int8[];
    dead int8[];
    why text[];
    what "char"[];
BEGIN
    PERFORM FROM tracked WHERE id = ANY (ids || ARRAY(SELECT child FROM dependency WHERE parent = ANY (ids)))
      ORDER BY id FOR UPDATE;
    WITH e AS MATERIALIZED (
        SELECT * FROM unnest(ids, kinds, tries, reasons, results) u(id, kind, attempts, reason, result)),
    gone AS (DELETE FROM tracked t USING e, lane a WHERE t.id = e.id AND a.id = t.lane
               AND (e.kind <> 'h' OR a.dead_letters IS NOT NULL)
             RETURNING t.id, t.lane, t.digest, t.keep_for, t.waiters, false AS held, e.kind, e.attempts, e.reason,
                 e.result),
    kept AS (UPDATE tracked t SET held = true FROM e, lane a
              WHERE t.id = e.id AND a.id = t.lane AND e.kind = 'h' AND a.dead_letters IS NULL
             RETURNING t.id, t.lane, t.digest, t.keep_for, t.waiters, true AS held, e.kind, e.attempts, e.reason,
                 e.result),
    every AS MATERIALIZED (SELECT * FROM gone UNION ALL SELECT * FROM kept),
    keys AS (DELETE FROM unique_key k USING every b WHERE k.digest = b.digest AND k.job_id = b.id AND k.until IS NULL),
    notified AS (
        INSERT INTO outcome AS o (id, lane, kind, attempts, keep_until, reason, result)
        SELECT b.id, b.lane, b.kind, b.attempts, CASE WHEN b.held THEN 'infinity' ELSE now() + b.keep_for END,
               nullif(b.reason, ''), b.result
          FROM every b WHERE b.keep_for IS NOT NULL
            ON CONFLICT (id) DO UPDATE SET kind = EXCLUDED.kind, attempts = EXCLUDED.attempts, ended_at = now(),
               keep_until = EXCLUDED.keep_until, reason = EXCLUDED.reason, result = EXCLUDED.result)
    SELECT array_agg(DISTINCT w) INTO notified FROM every b CROSS JOIN LATERAL unnest(b.waiters) w;
    IF notified IS NOT NULL THEN
        PERFORM pg_notify('pgq_' || schema_id() || '_w' || w, '') FROM unnest(notified) w;
    END IF;

    -- Two steps: a single one lets the server read the whole index that has the children in order.
    children := ARRAY(SELECT DISTINCT d.child FROM (SELECT child FROM dependency WHERE parent = ANY (ids) OFFSET 0) d
        ORDER BY 1);
    IF cardinality(children) = 0 THEN RETURN 0; END IF;
    PERFORM FROM tracked WHERE id = ANY (children) ORDER BY id FOR UPDATE;
    WITH cut AS (
        DELETE FROM dependency d USING unnest(ids, kinds) e(id, kind) WHERE d.parent = e.id
        RETURNING d.child, d.parent, e.kind),
    each_child AS (
        SELECT child, count(*)::int4 AS n, min(parent) FILTER (WHERE kind <> 'd') AS culprit,
               (array_agg(kind ORDER BY parent) FILTER (WHERE kind <> 'd'))[1] AS how FROM cut GROUP BY child),
    less AS (
        UPDATE tracked t SET waits_for = t.waits_for - c.n FROM each_child c WHERE t.id = c.child
        RETURNING t.id, t.waits_for, t.if_parent_fails, c.culprit, c.how)
    SELECT array_agg(id) FILTER (WHERE waits_for = 0 AND (culprit IS NULL OR if_parent_fails = 'r')),
           array_agg(id) FILTER (WHERE culprit IS NOT NULL AND if_parent_fails <> 'r'),
           array_agg(if_parent_fails) FILTER (WHERE culprit IS NOT NULL AND if_parent_fails <> 'r'),
           array_agg('it waited for job ' || culprit || ', which ' || CASE how WHEN 'h' THEN 'failed for good'
               WHEN 'c' THEN 'was cancelled' WHEN 'e' THEN 'expired' ELSE 'was discarded' END)
               FILTER (WHERE culprit IS NOT NULL AND if_parent_fails <> 'r')
      INTO free, dead, what, why FROM less;
    IF free IS NOT NULL THEN PERFORM unblock(free); END IF;
    IF dead IS NOT NULL THEN PERFORM fail_blocked(dead, what, why); END IF;
    RETURN coalesce(cardinality(free), 0);
END $$;

-- Ends the jobs of whole leases as done, if they are tracked and have not left their lease. All in one call, because
-- end_tracked() locks its rows in the order of their ids.
CREATE TYPE :"schema".lease_end AS (ids int8[], attempts int2[], flags int2[], done bytea);
CREATE FUNCTION :"schema".end_leases(leases :"schema".lease_end[]) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT end_tracked(array_agg(j.id), array_agg('d'::"char"),
                               array_agg(coalesce(j.attempts, l.attempts[1])), NULL, NULL)
              FROM unnest(leases) l CROSS JOIN LATERAL
                   unnest(l.ids, l.attempts, l.flags) WITH ORDINALITY j(id, attempts, flags, o)
             WHERE j.flags & 1 <> 0 AND (l.done IS NULL OR get_bit(l.done, j.o - 1) = 0)
            HAVING count(*) > 0);
END $$;

-- Counts the jobs of a lane that have not ended and are not held, up to `most`.
CREATE FUNCTION :"schema".count_open_jobs(of_lane int4, most int8) RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = off
    SET enable_bitmapscan = off AS $$
DECLARE
    n int8 := (SELECT count(*) FROM (SELECT FROM ready WHERE lane = of_lane LIMIT most) r);
BEGIN
    IF n < most THEN
        n := n + (SELECT coalesce(sum(p.n), 0) FROM (SELECT r.n FROM pack r WHERE r.lane = of_lane LIMIT most) p);
    END IF;
    IF n < most THEN
        n := n + (SELECT count(*) FROM (SELECT FROM deferred WHERE lane = of_lane AND kind <> 'h' LIMIT most - n) d);
    END IF;
    IF n < most THEN
        n := n + (SELECT coalesce(sum(cardinality(ids)
                                      - CASE WHEN done IS NULL THEN 0 ELSE bit_count(done) END), 0)::int8
                    FROM lease WHERE lane = of_lane);
    END IF;
    RETURN least(n, most);
END $$;

-- Makes blocked jobs claimable, or delayed when their time has not come. Their parents have ended.
CREATE FUNCTION :"schema".unblock(ids int8[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
DECLARE
    touched int4[];
BEGIN
    WITH later AS (
        UPDATE deferred d SET kind = 'd', run_at = t.run_at, changed_at = now() FROM tracked t
         WHERE d.id = ANY (ids) AND d.kind = 'b' AND t.id = d.id AND t.run_at > now() RETURNING d.lane)
    SELECT array_agg(DISTINCT lane) INTO touched FROM later;
    ids := ARRAY(SELECT d.id FROM deferred d WHERE d.id = ANY (ids) AND d.kind = 'b');
    PERFORM collect_wake_lanes(touched || ARRAY(SELECT DISTINCT l FROM deferred_to_ready(ids, false) l));
END $$;

-- Holds or cancels blocked jobs of which a parent did not succeed; `kinds` says which, h or c.
CREATE FUNCTION :"schema".fail_blocked(ids int8[], kinds "char"[], reasons text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
#variable_conflict use_column
BEGIN
    DELETE FROM dependency d WHERE d.child = ANY (ids);
    UPDATE tracked SET waits_for = 0 WHERE id = ANY (ids);
    UPDATE deferred d SET kind = 'h', reason = e.reason, changed_at = now()
      FROM unnest(ids, kinds, reasons) e(id, kind, reason) WHERE d.id = e.id AND d.kind = 'b' AND e.kind = 'h';
    DELETE FROM deferred d USING unnest(ids, kinds) e(id, kind) WHERE d.id = e.id AND d.kind = 'b' AND e.kind = 'c';
    PERFORM count_ended(array_agg(t.lane), array_agg(e.kind))
       FROM unnest(ids, kinds) e(id, kind) JOIN tracked t ON t.id = e.id;
    PERFORM end_tracked(ids, kinds, array_fill(0::int2, ARRAY[cardinality(ids)]), reasons, NULL);
END $$;

-- Makes untracked jobs tracked, wherever they are. Jobs that are tracked or have ended stay as they are. This scans all
-- jobs. The row of a changed lease moves; its worker looks it up again.
CREATE FUNCTION :"schema".track(which int8[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = on AS $$
#variable_conflict use_column
DECLARE
    missing int8[];
BEGIN
    FOR i IN 1..100 LOOP
        missing := ARRAY(SELECT w FROM unnest(which) w WHERE NOT EXISTS (SELECT FROM tracked t WHERE t.id = w)
                                                         AND NOT EXISTS (SELECT FROM outcome o WHERE o.id = w));
        EXIT WHEN cardinality(missing) = 0;
        PERFORM unpack_jobs(missing);
        -- One statement, one snapshot: a job that moves between two tables is found in one of them.
        missing := ARRAY(
            SELECT id FROM ready WHERE id = ANY (missing)
            UNION SELECT id FROM deferred WHERE id = ANY (missing)
            UNION SELECT j.id FROM lease e, unnest(e.ids) WITH ORDINALITY j(id, o)
                   WHERE j.id = ANY (missing) AND (e.done IS NULL OR get_bit(e.done, j.o::int - 1) = 0));
        EXIT WHEN cardinality(missing) = 0;
        WITH d AS (UPDATE deferred SET flags = coalesce(flags, 0) | 1 WHERE id = ANY (missing)
                   RETURNING id, lane, rank, kind),
        r AS (UPDATE ready SET flags = coalesce(flags, 0) | 1 WHERE id = ANY (missing) RETURNING id, lane, rank),
        e AS (
            UPDATE lease l SET flags = (
                SELECT array_agg(CASE WHEN j.id = ANY (missing) THEN (coalesce(l.flags[j.o], 0) | 1)::int2
                    ELSE l.flags[j.o] END
                                 ORDER BY j.o) FROM unnest(l.ids) WITH ORDINALITY j(id, o))
             WHERE EXISTS (SELECT FROM unnest(l.ids) j WHERE j = ANY (missing))
            RETURNING l.*)
        INSERT INTO tracked (id, lane, rank, held)
        SELECT id, lane, rank, kind = 'h' FROM d UNION ALL SELECT id, lane, rank, false FROM r
        UNION ALL SELECT j.id, e.lane, coalesce(j.rank, e.ranks[1]), false
                    FROM e, unnest(e.ids, e.ranks) WITH ORDINALITY j(id, rank, o)
                   WHERE j.id = ANY (missing) AND (e.done IS NULL OR get_bit(e.done, j.o::int - 1) = 0)
            ON CONFLICT DO NOTHING;
    END LOOP;
END $$;

-- Registers a waiter for the ends of jobs and returns the jobs that have ended. `at_least`: for how long their outcomes
-- are kept. kind ?: the job has ended without a kept outcome, or it never existed.
CREATE FUNCTION :"schema".watch(which int8[], waiter int4, at_least interval)
RETURNS TABLE (id int8, kind "char", attempts int2, reason text, result bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM track(which);
    UPDATE tracked t SET waiters = CASE WHEN waiter IS NULL OR waiter = ANY (t.waiters) THEN t.waiters
                                        ELSE array_append(t.waiters[greatest(1, cardinality(t.waiters) - 62):],
                                            waiter) END,
                         keep_for = greatest(t.keep_for, at_least)
     WHERE t.id = ANY (ARRAY(
        SELECT t.id FROM tracked t WHERE t.id = ANY (which) AND NOT t.held
           AND (t.keep_for IS NULL OR t.keep_for < at_least
                OR waiter IS NOT NULL AND (t.waiters IS NULL OR NOT waiter = ANY (t.waiters)))
         ORDER BY t.id FOR NO KEY UPDATE));
    RETURN QUERY
        SELECT w, CASE WHEN o.id IS NOT NULL THEN o.kind WHEN t.held THEN 'h' ELSE '?' END::"char",
            coalesce(o.attempts, d.attempts, 0::int2),
               coalesce(o.reason, d.reason), o.result
          FROM unnest(which) w LEFT JOIN outcome o ON o.id = w LEFT JOIN tracked t ON t.id = w
          LEFT JOIN deferred d ON d.id = w AND d.kind = 'h'
         WHERE o.id IS NOT NULL OR t.id IS NULL OR t.held;
END $$;

-- Removes jobs that are ready, deferred, blocked or held, and asks workers to stop those that run. overlap: because the
-- next tick of their schedule has come. The first reason stays. at_lanes, at_ranks: lane and rank of each job, by which
-- it finds ready ones; without them it reads the tables.
CREATE FUNCTION :"schema".cancel(which int8[], overlap bool DEFAULT false, at_lanes int4[] DEFAULT NULL,
    at_ranks int8[] DEFAULT NULL)
RETURNS TABLE (waiting int8, running int8)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    hit int8[];
    tries int2[];
    tracked_ int8[];
    lanes int4[];
    n int8;
    asked int8;
    notified int4[];
    places tid[];
BEGIN
    waiting := 0; running := 0;
    IF at_lanes IS NULL THEN PERFORM unpack_jobs(which);
    ELSE PERFORM unpack_at(which, at_lanes, at_ranks);
    END IF;
    FOR i IN 1..100 LOOP
        EXIT WHEN cardinality(which) = 0;
        BEGIN
            hit := ARRAY(
                SELECT l.id FROM lease l
                 WHERE EXISTS (SELECT FROM unnest(l.ids) WITH ORDINALITY j(id, o) WHERE j.id = ANY (which)
                                AND (l.done IS NULL OR get_bit(l.done, j.o::int - 1) = 0)
                                    AND coalesce(l.flags[j.o], 0) & 2 = 0)
                 ORDER BY l.id FOR UPDATE);
            WITH was AS MATERIALIZED (SELECT id, flags FROM lease WHERE id = ANY (hit)),
            e AS (
                UPDATE lease l SET flags = (
                    SELECT array_agg(CASE WHEN j.id = ANY (which)
                        AND (l.done IS NULL OR get_bit(l.done, j.o::int - 1) = 0)
                                    AND coalesce(l.flags[j.o], 0) & 2 = 0
                                          THEN (coalesce(l.flags[j.o], 0) | CASE WHEN overlap THEN 258 ELSE 2 END)::int2
                                          ELSE l.flags[j.o] END ORDER BY j.o)
                      FROM unnest(l.ids) WITH ORDINALITY j(id, o))
                  FROM was WHERE l.id = was.id RETURNING l.*, was.flags AS was)
            SELECT coalesce(sum((SELECT count(*) FROM unnest(e.ids) WITH ORDINALITY j(id, o) WHERE j.id = ANY (which)
                                    AND (e.done IS NULL OR get_bit(e.done, j.o::int - 1) = 0)
                                    AND coalesce(e.was[j.o], 0) & 2 = 0)), 0), array_agg(DISTINCT e.worker)
              INTO asked, notified FROM e;
            IF notified IS NOT NULL THEN
                PERFORM pg_notify('pgq_' || schema_id() || '_' || w, 'stop') FROM unnest(notified) w;
            END IF;
            PERFORM FROM tracked WHERE id = ANY (
                which || ARRAY(SELECT child FROM dependency WHERE parent = ANY (which)))
              ORDER BY id FOR UPDATE;
            IF at_lanes IS NULL THEN
                places := ARRAY(SELECT ctid FROM ready WHERE id = ANY (which) ORDER BY id FOR UPDATE);
            ELSE places := ready_at(which, at_lanes, at_ranks);
            END IF;
            WITH d AS (DELETE FROM deferred WHERE id = ANY (which) RETURNING id, lane, attempts, flags),
            r AS (DELETE FROM ready WHERE ctid = ANY (places) RETURNING id, lane, attempts, flags),
            every AS (SELECT * FROM d UNION ALL SELECT * FROM r)
            SELECT count(*), array_agg(lane), array_agg(id) FILTER (WHERE flags & 1 <> 0),
                   array_agg(attempts) FILTER (WHERE flags & 1 <> 0)
              INTO n, lanes, tracked_, tries FROM every;
            IF n > 0 THEN PERFORM count_ended(lanes, array_fill('c'::"char", ARRAY[n::int4])); END IF;
            IF tracked_ IS NOT NULL THEN
                DELETE FROM dependency WHERE child = ANY (tracked_);
                PERFORM end_tracked(tracked_, array_fill('c'::"char", ARRAY[cardinality(tracked_)]), tries, NULL, NULL);
            END IF;
            -- A job may have been claimed since, or its lease may have changed. Leases come first in the order of
            -- locks, so this rolls back, releases all locks and starts again. After 20 rounds it keeps what is done.
            IF i < 20 AND EXISTS (
                SELECT FROM lease l, unnest(l.ids) WITH ORDINALITY j(id, o) WHERE j.id = ANY (which)
                   AND (l.done IS NULL OR get_bit(l.done, j.o::int - 1) = 0) AND coalesce(l.flags[j.o], 0) & 2 = 0) THEN
                RAISE EXCEPTION USING ERRCODE = 'PQ003';
            END IF;
            waiting := waiting + n; running := running + asked;
            -- Not one EXISTS over all tables: PostgreSQL 17 then expects many leased jobs, and reads all of `deferred`.
            EXIT WHEN i > 20 AND n = 0 AND asked = 0 OR NOT (
                EXISTS (SELECT FROM deferred WHERE id = ANY (which))
                OR CASE WHEN at_lanes IS NULL THEN EXISTS (SELECT FROM ready WHERE id = ANY (which))
                        ELSE cardinality(ready_at(which, at_lanes, at_ranks)) > 0 END
                OR EXISTS (
                    SELECT FROM lease l, unnest(l.ids) WITH ORDINALITY j(id, o) WHERE j.id = ANY (which)
                       AND (l.done IS NULL OR get_bit(l.done, j.o::int - 1) = 0)
                       AND coalesce(l.flags[j.o], 0) & 2 = 0));
        EXCEPTION WHEN SQLSTATE 'PQ003' THEN
        END;
    END LOOP;
    RETURN NEXT;
END $$;

-- Expires jobs whose time ran out before they started: removes them, or holds those with hold_expired. At most 1000;
-- returns how many. A job with attempts has started. A job in a lease becomes overdue: a claim and purge() look at it
-- again. It reads no times before `after`: many entries of jobs that have gone may be there.
CREATE FUNCTION :"schema".expire(after timestamptz DEFAULT '-infinity') RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    now_ timestamptz := clock_timestamp();
    late record;
    tries int2;
    gone int8[] := '{}';
    lanes int4[] := '{}';
    kinds "char"[] := '{}';
BEGIN
    FOR late IN SELECT t.id, t.lane, t.rank, t.hold_expired FROM tracked t
                 WHERE t.expires_at >= after AND t.expires_at <= now_ AND NOT t.held AND NOT t.overdue
                 ORDER BY t.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED LOOP
        SELECT r.attempts INTO tries FROM ready r WHERE r.lane = late.lane AND r.rank = late.rank AND r.id = late.id
           FOR UPDATE;
        IF NOT FOUND THEN SELECT d.attempts INTO tries FROM deferred d WHERE d.id = late.id FOR UPDATE; END IF;
        IF NOT FOUND THEN
            UPDATE tracked SET overdue = true WHERE id = late.id;
            CONTINUE;
        ELSIF tries > 0 THEN
            UPDATE tracked SET expires_at = NULL WHERE id = late.id;
            CONTINUE;
        ELSIF late.hold_expired THEN
            IF ready_to_deferred(late.lane, late.rank, late.id, 'infinity', 'h', 'it expired', NULL) IS NULL THEN
                UPDATE deferred SET run_at = 'infinity', kind = 'h', reason = 'it expired', changed_at = now()
                    WHERE id = late.id;
            END IF;
        ELSE
            DELETE FROM ready WHERE lane = late.lane AND rank = late.rank AND id = late.id;
            IF NOT FOUND THEN DELETE FROM deferred WHERE id = late.id; END IF;
        END IF;
        gone := gone || late.id;
        lanes := lanes || late.lane;
        kinds := kinds || CASE WHEN late.hold_expired THEN 'h' ELSE 'e' END::"char";
    END LOOP;
    IF cardinality(gone) > 0 THEN
        DELETE FROM dependency WHERE child = ANY (gone);
        UPDATE tracked SET waits_for = 0 WHERE id = ANY (gone);
        PERFORM count_ended(lanes, kinds);
        PERFORM end_tracked(gone, kinds, array_fill(0::int2, ARRAY[cardinality(gone)]),
                            array_fill('it expired'::text, ARRAY[cardinality(gone)]), NULL);
    END IF;
    RETURN cardinality(gone);
END $$;

-- Microseconds until claimed jobs expire, by this server's clock; zero or less: they have expired. Null for jobs
-- without an expiry and for jobs that had started before. Null when no job expires.
CREATE FUNCTION :"schema".expires_in(ids int8[], attempts int2[]) RETURNS int8[]
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM tracked WHERE id = ANY (ids) AND expires_at IS NOT NULL) THEN RETURN NULL; END IF;
    RETURN ARRAY(
        SELECT CASE WHEN t.expires_at IS NOT NULL THEN
                   greatest(extract(epoch FROM t.expires_at - clock_timestamp()) * 1000000, 0)::int8 END
          FROM unnest(ids, attempts) WITH ORDINALITY j(id, attempts, o)
          LEFT JOIN tracked t ON t.id = j.id AND coalesce(j.attempts, expires_in.attempts[1]) = 1
         ORDER BY j.o);
END $$;

-- What becomes of a job that a worker found expired before it began: h hold it, e expire it; s: it has time left.
CREATE FUNCTION :"schema".end_of_expired(job int8) RETURNS "char"
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    late record;
BEGIN
    SELECT CASE WHEN expires_at > clock_timestamp() THEN 's' WHEN hold_expired THEN 'h' ELSE 'e' END::"char" AS kind,
           t.lane INTO late FROM tracked t WHERE t.id = job;
    IF late.kind IN ('h', 'e') THEN PERFORM count_ended(ARRAY[late.lane], ARRAY[late.kind]); END IF;
    RETURN late.kind;
END $$;

-- Whether a job without attempts has not expired.
CREATE FUNCTION :"schema".may_start(job int8) RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM tracked WHERE id = job AND expires_at <= clock_timestamp());
END $$;

-- Deletes outcomes, keys and failures that are kept no longer, at most 10000 of each; returns how many. Overdue jobs
-- may have left their leases, so expire() looks at them again.
CREATE FUNCTION :"schema".purge(failures_older_than interval) RETURNS int8
LANGUAGE sql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = off AS $$
    WITH o AS (DELETE FROM outcome WHERE id = ANY (ARRAY(SELECT id FROM outcome WHERE keep_until <= now() LIMIT 10000))
               RETURNING 1),
    k AS (DELETE FROM unique_key WHERE digest = ANY (ARRAY(
        SELECT digest FROM unique_key WHERE until <= now() LIMIT 10000 FOR UPDATE SKIP LOCKED)) RETURNING 1),
    r AS (DELETE FROM request WHERE digest = ANY (ARRAY(
        SELECT digest FROM request WHERE until <= now() LIMIT 10000 FOR UPDATE SKIP LOCKED)) RETURNING 1),
    f AS (DELETE FROM failure WHERE ctid = ANY (ARRAY(
        SELECT c.place FROM lane l CROSS JOIN LATERAL (
            SELECT f.ctid AS place FROM failure f
             WHERE f.lane = l.id AND f.failed_at <= now() - coalesce(l.keep_failures, failures_older_than)
             LIMIT 10000) c LIMIT 10000)) RETURNING 1),
    t AS (UPDATE tracked SET overdue = false WHERE id = ANY (ARRAY(
        SELECT id FROM tracked WHERE overdue LIMIT 10000 FOR UPDATE SKIP LOCKED)))
    SELECT (SELECT count(*) FROM o) + (SELECT count(*) FROM k) + (SELECT count(*) FROM r) + (SELECT count(*) FROM f)
$$;

-- Makes held jobs ready again, with no attempts counted. A job whose unique key another job holds now stays held.
CREATE FUNCTION :"schema".requeue(which int8[]) RETURNS TABLE (n int8, lanes int4[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off AS $$
#variable_conflict use_column
DECLARE
    mine int8[];
BEGIN
    PERFORM FROM tracked t WHERE t.id = ANY (which) ORDER BY t.id FOR UPDATE;
    mine := ARRAY(SELECT d.id FROM deferred d WHERE d.id = ANY (which) AND d.kind = 'h' ORDER BY d.id FOR UPDATE);
    INSERT INTO unique_key AS k (digest, job_id, scope)
    SELECT DISTINCT ON (t.digest) t.digest, t.id, 'f' FROM tracked t WHERE t.id = ANY (mine) AND t.digest IS NOT NULL
     ORDER BY t.digest, t.id
        ON CONFLICT (digest) DO UPDATE SET job_id = EXCLUDED.job_id, scope = EXCLUDED.scope, until = NULL
           WHERE k.until <= clock_timestamp();
    mine := ARRAY(SELECT m FROM unnest(mine) m LEFT JOIN tracked t ON t.id = m
                   WHERE t.digest IS NULL OR
                         EXISTS (SELECT FROM unique_key k WHERE k.digest = t.digest AND k.job_id = m));
    UPDATE tracked SET held = false, expires_at = NULL WHERE id = ANY (mine);
    DELETE FROM outcome WHERE id = ANY (mine);
    RETURN QUERY SELECT count(*), array_agg(DISTINCT l) FROM deferred_to_ready(mine, true) l;
END $$;

-- Replaces the payload of a job that waits, and its time when `move`. False when the job no longer waits.
CREATE FUNCTION :"schema".replace_waiting(of_job int8, of_lane int4, of_rank int8, new_body bytea, move bool,
    at timestamptz)
RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    due_now bool := move AND (at IS NULL OR at <= now());
BEGIN
    IF move AND at > now() THEN
        IF ready_to_deferred(of_lane, of_rank, of_job, at, 'd', NULL, new_body) IS NOT NULL THEN RETURN true; END IF;
    ELSE
        UPDATE ready r SET body = new_body WHERE r.lane = of_lane AND r.rank = of_rank AND r.id = of_job;
        IF FOUND THEN RETURN true; END IF;
    END IF;
    UPDATE tracked t SET run_at = at WHERE move AND t.id = of_job;
    UPDATE deferred d SET body = new_body,
        run_at = CASE WHEN due_now OR NOT move OR d.run_at = 'infinity' THEN d.run_at ELSE at END
     WHERE d.id = of_job AND d.kind <> 'h';
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM deferred_to_ready(ARRAY[of_job], false)
       FROM deferred d WHERE due_now AND d.id = of_job AND d.run_at < 'infinity';
    RETURN true;
END $$;

-- Enqueues jobs of any lanes with any attributes. Plain jobs have cheaper statements, see statement/enqueue.hpp. Times
-- are a kind (0 unset, 1 relative, 2 absolute) and microseconds. Headers are (number of the job, name, value).
-- `children`[i] is the number of a job of this call that waits for the job with the id `parents`[i]. `edges` are pairs
-- of numbers: a job of this call, and the one of this call that it waits for. Numbers count from 1. `conflicts`, when
-- another job holds the unique key: s skip this job, e raise an error, r replace the payload of the other job, d
-- replace its payload and its time. `bounds`: the most open jobs the lane may have afterwards, 0 for no bound. The lock
-- of the lane's row lets one transaction at a time enqueue to a bounded lane.
--
-- If another open transaction holds a key, this waits for its end. It also locks the row of a waiting job that holds a
-- key, so that no worker claims the job before the caller's transaction ends.
--
-- `request_name` names the call, or is null. If a call of the same queue has used it in the last 24 hours, this
-- returns the answer of that call and enqueues nothing. If that call is in a transaction that has not ended, this waits
-- for its end. The repeated call writes to the row of the request all the same: so its commit waits for a synchronous
-- standby, and does not confirm what the standby has not received.
--
-- One pass over the arrays handles what all jobs have, and one insert takes all keys that are free.
CREATE FUNCTION :"schema".enqueue_tracked(
    lanes int4[], priorities int2[], run_kinds int2[], run_us int8[], exp_kinds int2[], exp_us int8[], bodies bytea[],
    head_of int4[], head_names text[], head_values text[], limit_keys text[],
    unique_keys text[], scopes "char"[], periods int8[], conflicts "char"[],
    late_kinds int2[], late_us int8[], hold_lates bool[], keeps int8[], if_faileds "char"[], children int4[],
        parents int8[], edges int4[],
    bounds int8[], request_name text DEFAULT NULL)
RETURNS TABLE (job int8, fresh bool)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp
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
    ancestors int8[] := ARRAY(SELECT DISTINCT p FROM unnest(parents) p);
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
    request_ bytea;
    ids_of_request int8[];
    fresh_of_request bool[];
BEGIN
    IF request_name <> '' THEN
        INSERT INTO request AS r (digest, jobs, fresh, until)
        SELECT sha256(convert_to(l.queue, 'UTF8') || decode('00', 'hex') || convert_to(request_name, 'UTF8')),
               '{}', '{}', now_ + interval '24 hours' FROM lane l WHERE l.id = lanes[1]
            ON CONFLICT (digest) DO UPDATE SET
               jobs = CASE WHEN r.until > clock_timestamp() THEN r.jobs ELSE '{}' END,
               until = CASE WHEN r.until > clock_timestamp() THEN r.until ELSE EXCLUDED.until END
        RETURNING r.digest, r.jobs, r.fresh INTO request_, ids_of_request, fresh_of_request;
        IF cardinality(ids_of_request) > 0 THEN
            RETURN QUERY SELECT u.id, u.fresh FROM unnest(ids_of_request, fresh_of_request)
                WITH ORDINALITY u(id, fresh, i) ORDER BY u.i;
            RETURN;
        END IF;
    END IF;
    IF EXISTS (SELECT FROM unnest(unique_keys) k WHERE k <> '') THEN
        digests := ARRAY(
            SELECT CASE WHEN u.k <> '' THEN
                       sha256(convert_to(l.queue, 'UTF8') || decode('00', 'hex') ||
                              convert_to(l.entrypoint, 'UTF8') || decode('00', 'hex')
                              || convert_to(u.k, 'UTF8')) END
              FROM unnest(lanes, unique_keys) WITH ORDINALITY u(lane, k, o) JOIN lane l ON l.id = u.lane ORDER BY u.o);
    END IF;
    IF cardinality(ancestors) > 0 THEN PERFORM track(ancestors); END IF;
    -- The locks keep parents and holders of keys from ending before this transaction. A parent whose enqueue is not
    -- committed is unknown. So is a guessed id that this call has drawn itself: the job would wait for itself.
    IF digests IS NULL AND cardinality(ancestors) > 0 THEN
        locked := ARRAY(SELECT t.id FROM tracked t WHERE t.id = ANY (ancestors) ORDER BY t.id FOR NO KEY UPDATE);
    END IF;
    was_ids := ids; was_bodies := bodies; was_kinds := run_kinds; was_us := run_us;
    -- Nearly always all keys are free; then one insert takes them.
    IF digests IS NOT NULL AND NOT EXISTS (SELECT FROM unique_key k WHERE k.digest = ANY (digests)) THEN BEGIN
        locked := ARRAY(SELECT t.id FROM tracked t WHERE t.id = ANY (ancestors) ORDER BY t.id FOR NO KEY UPDATE);
        INSERT INTO unique_key (digest, job_id, scope, until)
        SELECT u.digest, u.id, u.scope, CASE WHEN u.scope = 'p' THEN now_ + u.period * interval '1 microsecond' END
          FROM unnest(digests, ids, scopes, periods) u(digest, id, scope, period) WHERE u.digest IS NOT NULL
              ORDER BY u.digest
            ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF taken <> cardinality(array_remove(digests, NULL)) THEN RAISE EXCEPTION USING ERRCODE = 'PQ003'; END IF;
        all_free := true;
    EXCEPTION WHEN SQLSTATE 'PQ003' THEN  -- a key occurs twice, or another session took one: take them one by one
    END; END IF;
    FOR turn IN 1..20 LOOP BEGIN
        EXIT WHEN digests IS NULL OR all_free;
        ids := was_ids; bodies := was_bodies; run_kinds := was_kinds; run_us := was_us;
        fresh_ := array_fill(true, ARRAY[n]);
        locked := ARRAY(
            SELECT t.id FROM tracked t
             WHERE t.id = ANY (ancestors || ARRAY(SELECT k.job_id FROM unique_key k WHERE k.digest = ANY (digests)))
             ORDER BY t.id FOR NO KEY UPDATE);
        -- In one order: two batches cannot deadlock.
        FOR rival IN SELECT i, digests[i] AS digest, unique_keys[i] AS name, scopes[i] AS scope,
            conflicts[i] AS conflict,
                            CASE WHEN scopes[i] = 'p' THEN now_ + periods[i] * interval '1 microsecond' END AS until,
                            CASE run_kinds[i] WHEN 1 THEN now_ + run_us[i] * interval '1 microsecond'
                                WHEN 2 THEN 'epoch'::timestamptz + run_us[i] * interval '1 microsecond' END AS at
                       FROM generate_series(1, n) i WHERE digests[i] IS NOT NULL ORDER BY digests[i], i LOOP
            LOOP
                INSERT INTO unique_key AS k (digest, job_id, scope, until)
                VALUES (rival.digest, ids[rival.i], rival.scope, rival.until)
                    ON CONFLICT (digest) DO UPDATE SET job_id = EXCLUDED.job_id, scope = EXCLUDED.scope,
                        until = EXCLUDED.until
                       WHERE k.until <= clock_timestamp();
                EXIT WHEN FOUND;
                SELECT k.job_id AS id, k.scope, k.job_id = ANY (was_ids) AS mine, t.lane, t.rank INTO place
                  FROM unique_key k LEFT JOIN tracked t ON t.id = k.job_id WHERE k.digest = rival.digest
                      FOR UPDATE OF k;
                CONTINUE WHEN NOT FOUND;  -- that job has ended since
                IF NOT place.mine AND place.id <> ALL (locked) AND place.lane IS NOT NULL THEN  -- it took the key since
                    IF turn < 20 THEN RAISE EXCEPTION USING ERRCODE = 'PQ003'; END IF;
                    locked := locked || ARRAY(SELECT t.id FROM tracked t WHERE t.id = place.id FOR NO KEY UPDATE);
                END IF;
                IF place.mine THEN  -- of this call the first job wins
                    IF rival.conflict = 'e' THEN PERFORM raise_key_conflict(rival.name, place.id); END IF;
                    IF rival.conflict IN ('r', 'd') THEN
                        bodies[array_position(ids, place.id)] := bodies[rival.i];
                        IF rival.conflict = 'd' THEN
                            run_kinds[array_position(ids, place.id)] := run_kinds[rival.i];
                            run_us[array_position(ids, place.id)] := run_us[rival.i];
                        END IF;
                    END IF;
                ELSE
                    IF place.scope = 'w' THEN
                        PERFORM FROM ready r WHERE r.lane = place.lane AND r.rank = place.rank
                            AND r.id = place.id FOR UPDATE;
                        IF NOT FOUND THEN PERFORM FROM deferred d WHERE d.id = place.id FOR UPDATE; END IF;
                    END IF;
                    IF place.scope = 'w' AND NOT FOUND
                       -- It runs with the old payload. The new job is enqueued and takes the key.
                       OR rival.conflict IN ('r', 'd') AND NOT replace_waiting(place.id, place.lane, place.rank,
                                                               bodies[rival.i], rival.conflict = 'd', rival.at) THEN
                        UPDATE unique_key k SET job_id = ids[rival.i], scope = rival.scope, until = rival.until
                         WHERE k.digest = rival.digest;
                        EXIT;
                    END IF;
                    IF rival.conflict = 'e' THEN PERFORM raise_key_conflict(rival.name, place.id); END IF;
                END IF;
                ids[rival.i] := place.id;
                fresh_[rival.i] := false;
                EXIT;
            END LOOP;
        END LOOP;
        EXIT;
    EXCEPTION WHEN SQLSTATE 'PQ003' THEN  -- again, in the order of locks
    END; END LOOP;

    FOR place IN SELECT b.lane, min(b.bound) AS bound, count(*) AS n
                   FROM (SELECT lanes[i] AS lane, nullif(bounds[i], 0) AS bound FROM generate_series(1, n) i
                       WHERE fresh_[i]) b
                  GROUP BY b.lane HAVING min(b.bound) IS NOT NULL ORDER BY b.lane LOOP
        PERFORM FROM lane WHERE id = place.lane FOR NO KEY UPDATE;
        IF count_open_jobs(place.lane, place.bound) + place.n > place.bound THEN
            RAISE EXCEPTION 'the lane is full' USING ERRCODE = 'PQ002',
                  DETAIL = 'It has ' || count_open_jobs(place.lane, place.bound) || ' of at most ' ||
                           place.bound || ' jobs, and '
                           || place.n || ' more were to be enqueued.';
        END IF;
    END LOOP;

    IF cardinality(children) > 0 OR cardinality(edges) > 0 THEN
        FOR edge IN SELECT DISTINCT c.child, c.parent,
                           c.here AND coalesce(fresh_[array_position(ids, c.parent)], false) AS here,
                           t.id = ANY (locked) AND NOT t.held AS open, t.held OR o.kind <> 'd' AS bad
                      FROM (SELECT u.child, u.parent, false AS here FROM unnest(children, parents) u(child, parent)
                            UNION ALL SELECT edges[2 * e - 1], ids[edges[2 * e]], true
                              FROM generate_series(1, cardinality(edges) / 2) e) c
                      LEFT JOIN tracked t ON t.id = c.parent LEFT JOIN outcome o ON o.id = c.parent LOOP
            CONTINUE WHEN NOT fresh_[edge.child];
            IF edge.here OR edge.open THEN
                INSERT INTO dependency (parent, child) VALUES (edge.parent, ids[edge.child]);
                waits[edge.child] := waits[edge.child] + 1;
            ELSIF edge.bad AND if_faileds[edge.child] <> 'r' THEN
                failed[edge.child] := edge.parent;
            END IF;
        END LOOP;
    END IF;

    FOR rival IN SELECT h.o, jsonb_object_agg(h.name, h.value) AS headers
        FROM unnest(head_of, head_names, head_values) h(o, name, value)
                  GROUP BY h.o LOOP
        heads[rival.o] := rival.headers;
    END LOOP;
    WITH item AS MATERIALIZED (
        SELECT u.i, u.id, open_lane(u.lane) AS lane, u.headers, u.body, u.key, u.waits_for, u.culprit,
            coalesce(u.if_parent_fails, 'h') AS if_parent_fails,
               CASE u.run_kind WHEN 1 THEN now_ + u.run_us * interval '1 microsecond'
                               WHEN 2 THEN 'epoch'::timestamptz + u.run_us * interval '1 microsecond' END AS run_at,
               CASE u.late_kind WHEN 1 THEN now_ + u.late_us * interval '1 microsecond'
                                WHEN 2 THEN 'epoch'::timestamptz + u.late_us * interval '1 microsecond'
                                END AS expires_at,
               ((~ u.priority::int4)::int8 << 48) | CASE u.exp_kind
                   WHEN 1 THEN greatest(0, least(281474976710654,
                       (extract(epoch FROM now_) * 1000)::int8 + u.exp_us / 1000))
                   WHEN 2 THEN greatest(0, least(281474976710654, u.exp_us / 1000))
                   ELSE 281474976710655 END AS rank,
               u.digest, u.unique_key, coalesce(u.hold_expired, false) AS hold_expired,
               CASE WHEN u.keep > 0 THEN u.keep * interval '1 microsecond' END AS keep_for,
               coalesce(u.digest IS NOT NULL OR u.late_kind <> 0 OR u.keep > 0
                        OR u.i = ANY (children) OR u.i = ANY (edges), false) AS follow
          FROM unnest(ids, lanes, heads, bodies, limit_keys, waits, failed, if_faileds, run_kinds, run_us,
                      late_kinds, late_us,
                      priorities, exp_kinds, exp_us, digests, unique_keys, hold_lates, keeps, fresh_)
               WITH ORDINALITY u(id, lane, headers, body, key, waits_for, culprit, if_parent_fails, run_kind, run_us,
                   late_kind, late_us,
                                 priority, exp_kind, exp_us, digest, unique_key, hold_expired, keep, fresh, i)
         WHERE u.fresh),
    known AS (
        INSERT INTO tracked (id, lane, rank, digest, unique_key, waits_for, if_parent_fails, run_at, expires_at,
            hold_expired, keep_for)
        SELECT id, lane, rank, digest, unique_key, waits_for, if_parent_fails, run_at, expires_at, hold_expired,
            keep_for
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
    SELECT array_agg(id), array_agg(if_parent_fails) INTO dead, dead_kinds FROM item WHERE culprit IS NOT NULL;
    IF dead IS NOT NULL THEN
        PERFORM fail_blocked(dead, dead_kinds, ARRAY(
            SELECT 'it waited for job ' || failed[i] || ', which had not succeeded' FROM generate_series(1, n) i
             WHERE failed[i] IS NOT NULL ORDER BY i));
    END IF;
    UPDATE request r SET jobs = ids, fresh = fresh_ WHERE r.digest = request_;
    RETURN QUERY SELECT u.id, u.fresh FROM unnest(ids, fresh_) WITH ORDINALITY u(id, fresh, i) ORDER BY u.i;
END $$;

CREATE FUNCTION :"schema".raise_key_conflict(name text, holder int8) RETURNS void
LANGUAGE plpgsql SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a job with the unique key "%" is there already', name
          USING ERRCODE = 'PQ001', DETAIL = 'It is job ' || holder || '.';
END $$;

REVOKE ALL ON FUNCTION :"schema".schema_id, :"schema".end_tracked, :"schema".count_open_jobs, :"schema".unblock,
    :"schema".fail_blocked, :"schema".track, :"schema".watch, :"schema".cancel, :"schema".expire, :"schema".purge,
    :"schema".requeue, :"schema".replace_waiting, :"schema".enqueue_tracked, :"schema".expires_in,
    :"schema".end_of_expired, :"schema".may_start, :"schema".end_leases,
    :"schema".raise_key_conflict FROM PUBLIC;
