-- Statistics: how many jobs of each lane ended how, minute by minute. docs/design/statistics.md gives the reasons.

-- What one worker counted of one lane in one minute. Its heartbeats add to the row. worker 0: the sum of workers that
-- are gone, and of past minutes; lane 0 has the sums of worker 0 over all lanes. Less than 0: a session of the server
-- that ended jobs itself, by its process id.
-- enqueued: jobs enqueued in this minute of which a first attempt has ended since. The others count what happened in
-- this minute. wait, run: histograms, see buckets(); wait_us, run_us: the sums of the same times, in microseconds.
CREATE TABLE :"schema".minute (
    lane      int4 NOT NULL,
    at        timestamptz NOT NULL,
    worker    int4 NOT NULL,
    enqueued  int4 NOT NULL DEFAULT 0,
    done      int4 NOT NULL DEFAULT 0,
    retried   int4 NOT NULL DEFAULT 0,
    held      int4 NOT NULL DEFAULT 0,
    discarded int4 NOT NULL DEFAULT 0,
    cancelled int4 NOT NULL DEFAULT 0,
    expired   int4 NOT NULL DEFAULT 0,
    wait_us   int8 NOT NULL DEFAULT 0,
    run_us    int8 NOT NULL DEFAULT 0,
    wait      numeric NOT NULL DEFAULT 0,
    run       numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (lane, at, worker)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX minute_of_workers ON :"schema".minute (at) WHERE worker <> 0;

-- The sums of worker 0 over whole hours since 1970, whatever the time zone: a long window reads these.
CREATE TABLE :"schema".hour (
    lane      int4 NOT NULL,
    at        timestamptz NOT NULL,
    enqueued  int8 NOT NULL,
    done      int8 NOT NULL,
    retried   int8 NOT NULL,
    held      int8 NOT NULL,
    discarded int8 NOT NULL,
    cancelled int8 NOT NULL,
    expired   int8 NOT NULL,
    wait_us   int8 NOT NULL,
    run_us    int8 NOT NULL,
    wait      numeric NOT NULL,
    run       numeric NOT NULL,
    PRIMARY KEY (lane, at)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0);

-- The buckets of a histogram, which is one number with twelve decimal digits for each: so + and sum() add histograms.
-- The first bucket counts times below 1/16 ms, each further one times below twice the bound before it; the last of the
-- 32 counts all others.
CREATE FUNCTION :"schema".buckets(histogram numeric) RETURNS int8[]
LANGUAGE sql IMMUTABLE SET search_path = :"schema", pg_catalog, pg_temp AS $$
    SELECT array_agg(mod(div(histogram, power(10::numeric, 12 * i)), 1000000000000)::int8 ORDER BY i)
      FROM generate_series(0, 31) i
$$;

-- Counts jobs that this session has ended, by kind: c cancelled, e expired, h held. They count if its transaction
-- commits. The rows are this session's own, so it waits for nobody.
CREATE FUNCTION :"schema".count_ended(lanes int4[], kinds "char"[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
    INSERT INTO minute AS m (lane, at, worker, held, cancelled, expired)
    SELECT u.lane, date_trunc('minute', now()), - pg_backend_pid(), count(*) FILTER (WHERE u.kind = 'h'),
           count(*) FILTER (WHERE u.kind = 'c'), count(*) FILTER (WHERE u.kind = 'e')
      FROM unnest(lanes, kinds) u(lane, kind) WHERE u.kind IN ('h', 'c', 'e') GROUP BY u.lane
        ON CONFLICT (lane, at, worker) DO UPDATE SET held = m.held + EXCLUDED.held,
           cancelled = m.cancelled + EXCLUDED.cancelled, expired = m.expired + EXCLUDED.expired
$$;

-- Adds up, into the rows of worker 0 and into hours, the rows of workers that are gone and those older than five
-- minutes, at most 10000; and deletes rows older than `keep`, at most 10000 of each table. Returns how many it added
-- up. A worker adds to its rows only while it is registered, and locks its registration for that. So no row comes late
-- that would stay. Any number of sessions may call this at once: each takes other rows, and they write the sums in one
-- order. Minutes and hours of worker 0 change in one transaction: so a sum of hours is that of their minutes.
CREATE FUNCTION :"schema".fold_minutes(keep interval) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    folded int8;
BEGIN
    DELETE FROM minute WHERE ctid = ANY (ARRAY(
        SELECT c.place FROM (SELECT l.id FROM lane l UNION ALL SELECT 0) l CROSS JOIN LATERAL (
            SELECT m.ctid AS place FROM minute m WHERE m.lane = l.id AND m.at < now() - keep
             LIMIT 10000 FOR UPDATE SKIP LOCKED) c LIMIT 10000));
    DELETE FROM hour WHERE ctid = ANY (ARRAY(
        SELECT c.place FROM (SELECT l.id FROM lane l UNION ALL SELECT 0) l CROSS JOIN LATERAL (
            SELECT h.ctid AS place FROM hour h WHERE h.lane = l.id AND h.at < now() - keep - interval '1 hour'
             LIMIT 10000 FOR UPDATE SKIP LOCKED) c LIMIT 10000));
    WITH gone AS (
        DELETE FROM minute WHERE ctid = ANY (ARRAY(
            SELECT m.ctid FROM minute m
             WHERE m.worker <> 0
               AND (m.at < now() - interval '5 minutes'
                    OR m.worker > 0 AND NOT EXISTS (SELECT FROM worker w WHERE w.id = m.worker))
             LIMIT 10000 FOR UPDATE SKIP LOCKED))
        RETURNING *),
    sums AS MATERIALIZED (
        SELECT coalesce(g.lane, 0) AS lane, g.at, sum(g.enqueued) AS enqueued, sum(g.done) AS done,
               sum(g.retried) AS retried, sum(g.held) AS held, sum(g.discarded) AS discarded,
               sum(g.cancelled) AS cancelled, sum(g.expired) AS expired, sum(g.wait_us) AS wait_us,
               sum(g.run_us) AS run_us, sum(g.wait) AS wait, sum(g.run) AS run
          FROM gone g GROUP BY GROUPING SETS ((g.lane, g.at), (g.at))),
    minutes AS (
        INSERT INTO minute AS m (lane, at, worker, enqueued, done, retried, held, discarded, cancelled, expired,
                                 wait_us, run_us, wait, run)
        SELECT s.lane, s.at, 0, s.enqueued, s.done, s.retried, s.held, s.discarded, s.cancelled, s.expired, s.wait_us,
               s.run_us, s.wait, s.run
          FROM sums s ORDER BY s.lane, s.at
            ON CONFLICT (lane, at, worker) DO UPDATE SET
               enqueued = m.enqueued + EXCLUDED.enqueued, done = m.done + EXCLUDED.done,
               retried = m.retried + EXCLUDED.retried, held = m.held + EXCLUDED.held,
               discarded = m.discarded + EXCLUDED.discarded, cancelled = m.cancelled + EXCLUDED.cancelled,
               expired = m.expired + EXCLUDED.expired, wait_us = m.wait_us + EXCLUDED.wait_us,
               run_us = m.run_us + EXCLUDED.run_us, wait = m.wait + EXCLUDED.wait, run = m.run + EXCLUDED.run),
    hours AS (
        INSERT INTO hour AS h (lane, at, enqueued, done, retried, held, discarded, cancelled, expired, wait_us, run_us,
                               wait, run)
        SELECT s.lane, date_bin('1 hour', s.at, 'epoch'::timestamptz), sum(s.enqueued), sum(s.done), sum(s.retried),
               sum(s.held), sum(s.discarded), sum(s.cancelled), sum(s.expired), sum(s.wait_us), sum(s.run_us),
               sum(s.wait), sum(s.run)
          FROM sums s GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (lane, at) DO UPDATE SET
               enqueued = h.enqueued + EXCLUDED.enqueued, done = h.done + EXCLUDED.done,
               retried = h.retried + EXCLUDED.retried, held = h.held + EXCLUDED.held,
               discarded = h.discarded + EXCLUDED.discarded, cancelled = h.cancelled + EXCLUDED.cancelled,
               expired = h.expired + EXCLUDED.expired, wait_us = h.wait_us + EXCLUDED.wait_us,
               run_us = h.run_us + EXCLUDED.run_us, wait = h.wait + EXCLUDED.wait, run = h.run + EXCLUDED.run)
    SELECT count(*) INTO folded FROM gone;
    RETURN folded;
END $$;

-- How many jobs of these lanes are in each state, up to `most` and one of each lane and table; leased jobs exactly.
-- oldest: the enqueue time of the oldest ready job. Of one priority and deadline the first one is the oldest, so this
-- looks at the first of each of at most 64 of these. The settings forbid plans that read a whole table of jobs, and
-- compiling them, which takes a second. A hash join is only possible for the leases, where a nested loop takes the
-- product of lanes and leased lanes.
CREATE FUNCTION :"schema".count_capped(of_lanes int4[], most int8)
RETURNS TABLE (ready int8, waiting int8, blocked int8, held int8, leased int8, oldest timestamptz, looked int4)
LANGUAGE plpgsql STABLE SET search_path = :"schema", pg_catalog, pg_temp SET jit = off
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH claimed AS MATERIALIZED (
        SELECT e.lane, sum(cardinality(e.ids) - CASE WHEN e.done IS NULL THEN 0 ELSE bit_count(e.done) END)::int8 AS n
          FROM lease e GROUP BY e.lane)
    SELECT (SELECT count(*) FROM (SELECT FROM ready r WHERE r.lane = w.lane LIMIT most + 1) r)
           + (SELECT coalesce(sum(p.n), 0)::int8 FROM (SELECT p.n FROM pack p WHERE p.lane = w.lane LIMIT most + 1) p),
           d.n, d.blocked,
           (SELECT count(*) FROM (SELECT FROM deferred h WHERE h.lane = w.lane AND h.kind = 'h' LIMIT most + 1) h),
           coalesce(c.n, 0), o.oldest, o.looked
      FROM unnest(of_lanes) WITH ORDINALITY w(lane, i) LEFT JOIN claimed c ON c.lane = w.lane
     CROSS JOIN LATERAL (
        SELECT count(*) AS n, count(*) FILTER (WHERE k.kind = 'b') AS blocked
          FROM (SELECT k.kind FROM deferred k WHERE k.lane = w.lane AND k.kind <> 'h' LIMIT most + 1) k) d
     CROSS JOIN LATERAL (
        WITH RECURSIVE part(rank, at, n) AS (
            (SELECT r.rank, r.enqueued_at, 1 FROM ready r WHERE r.lane = w.lane ORDER BY r.rank, r.id LIMIT 1)
            UNION ALL
            SELECT x.rank, x.enqueued_at, p.n + 1 FROM part p CROSS JOIN LATERAL (
                SELECT r.rank, r.enqueued_at FROM ready r WHERE r.lane = w.lane AND r.rank > p.rank
                 ORDER BY r.rank, r.id LIMIT 1) x
             WHERE p.n <= 64),
        packed(rank, at, n) AS (
            (SELECT r.rank, r.enqueued_at, 1 FROM pack r WHERE r.lane = w.lane ORDER BY r.rank, r.id LIMIT 1)
            UNION ALL
            SELECT x.rank, x.enqueued_at, p.n + 1 FROM packed p CROSS JOIN LATERAL (
                SELECT r.rank, r.enqueued_at FROM pack r WHERE r.lane = w.lane AND r.rank > p.rank
                 ORDER BY r.rank, r.id LIMIT 1) x
             WHERE p.n <= 64)
        SELECT min(f.at) AS oldest, coalesce(max(f.n), 0) AS looked
          FROM (SELECT * FROM part UNION ALL SELECT * FROM packed) f) o
     ORDER BY w.i;
END $$;

-- The latest failed attempts of jobs of these lanes. An index alone says since when, and then few rows are read.
CREATE FUNCTION :"schema".latest_failures(of_lanes int4[], most int8) RETURNS SETOF :"schema".failure
LANGUAGE plpgsql STABLE SET search_path = :"schema", pg_catalog, pg_temp SET jit = off
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    since timestamptz;
BEGIN
    since := (
        SELECT min(t.failed_at) FROM (
            SELECT c.failed_at FROM unnest(of_lanes) w(lane) CROSS JOIN LATERAL (
                SELECT r.failed_at FROM failure r WHERE r.lane = w.lane ORDER BY r.failed_at DESC LIMIT most) c
             ORDER BY c.failed_at DESC LIMIT most) t);
    RETURN QUERY
    SELECT f.* FROM unnest(of_lanes) w(lane) CROSS JOIN LATERAL (
        SELECT r.* FROM failure r WHERE r.lane = w.lane AND r.failed_at >= since
         ORDER BY r.failed_at DESC LIMIT most) f
     ORDER BY f.failed_at DESC, f.id DESC LIMIT most;
END $$;

REVOKE ALL ON FUNCTION :"schema".buckets, :"schema".count_ended, :"schema".fold_minutes, :"schema".count_capped,
    :"schema".latest_failures FROM PUBLIC;
