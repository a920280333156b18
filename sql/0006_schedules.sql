-- Schedules: rules that say when to enqueue which job, again and again. docs/design/schedules.md gives the reasons.
--
-- The library calculates the times; this file decides who enqueues the job of a time, and when.

-- One row for each schedule; a scheduler of any program of the queue fires it. next_at: no tick before it is fired any
-- more. The next tick is the first one at or after it; infinity: there is none. Of missed ticks the latest missed_count
-- are fired, and none that is older than missed_age. overlap: a allow, s skip, q queue one, c cancel the running job.
-- declared_at: when a program last declared it, to the half hour. The other columns are the job.
CREATE TABLE :"schema".schedule (
    queue         text NOT NULL,
    name          text NOT NULL,
    lane          int4 NOT NULL REFERENCES :"schema".lane,
    expression    text NOT NULL,
    zone          text NOT NULL,
    jitter        interval NOT NULL,
    starts_at     timestamptz,
    ends_at       timestamptz,
    missed_count  int4 NOT NULL CHECK (missed_count BETWEEN 1 AND 1000),
    missed_age    interval,
    overlap       "char" NOT NULL CHECK (overlap IN ('a', 's', 'q', 'c')),
    next_at       timestamptz NOT NULL,
    fired_at      timestamptz,
    fired_job     int8,
    paused_at     timestamptz,
    pause_reason  text,
    declared_at   timestamptz NOT NULL,
    priority      int2 NOT NULL,
    delay         interval,
    expected_in   interval,
    expires_in    interval,
    hold_expired  bool NOT NULL,
    keep_for      interval NOT NULL,
    unique_key    text NOT NULL,
    unique_rule   text NOT NULL,
    unique_period interval NOT NULL,
    key           text,
    headers       text[] NOT NULL,
    body          bytea NOT NULL,
    PRIMARY KEY (queue, name)
);
ALTER TABLE :"schema".schedule ALTER body SET STORAGE EXTERNAL;

CREATE FUNCTION :"schema".to_interval(microseconds int8) RETURNS interval
LANGUAGE sql IMMUTABLE SET search_path = :"schema", pg_catalog, pg_temp AS $$
    SELECT microseconds * interval '1 microsecond'
$$;
CREATE FUNCTION :"schema".to_microseconds(span interval) RETURNS int8
LANGUAGE sql IMMUTABLE SET search_path = :"schema", pg_catalog, pg_temp AS $$
    SELECT (extract(epoch FROM span) * 1000000)::int8
$$;

-- Tells the schedulers that are connected to load the schedules again.
CREATE FUNCTION :"schema".wake_schedulers() RETURNS void
LANGUAGE sql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
    SELECT pg_notify('pgq_' || schema_id() || '_s', '')
$$;

-- Stores a schedule; false if it is stored already as it is. Times and spans are microseconds. A pause, and what was
-- fired, stay. If its times change, it begins anew: no tick before now is fired. heads: names and values in turn.
CREATE FUNCTION :"schema".declare_schedule(
    of_queue text, of_name text, of_lane int4, expression text, zone text, jitter int8, starts_at int8, ends_at int8,
    missed_count int4, missed_age int8, overlap "char", body bytea, key text, priority int2, delay int8,
    expected_in int8, expires_in int8, hold_expired bool, keep_for int8, headers text[], unique_key text,
    unique_rule text, unique_period int8)
RETURNS bool
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    made schedule;
    was schedule;
BEGIN
    IF (SELECT l.queue FROM lane l WHERE l.id = of_lane) IS DISTINCT FROM of_queue THEN
        RAISE EXCEPTION 'the lane is not one of the queue' USING ERRCODE = '22023';
    END IF;
    made.queue := of_queue; made.name := of_name; made.lane := of_lane; made.expression := expression;
    made.zone := zone; made.jitter := to_interval(jitter); made.starts_at := 'epoch'::timestamptz +
        to_interval(starts_at);
    made.ends_at := 'epoch'::timestamptz + to_interval(ends_at); made.missed_count := missed_count;
    made.missed_age := to_interval(missed_age); made.overlap := overlap; made.declared_at := clock_timestamp();
    made.priority := priority; made.delay := to_interval(delay); made.expected_in := to_interval(expected_in);
    made.expires_in := to_interval(expires_in); made.hold_expired := hold_expired;
    made.keep_for := to_interval(keep_for); made.unique_key := unique_key; made.unique_rule := unique_rule;
    made.unique_period := to_interval(unique_period); made.key := key; made.headers := headers; made.body := body;
    made.next_at := greatest(clock_timestamp(), made.starts_at);
    LOOP
        INSERT INTO schedule SELECT made.* ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        SELECT * INTO was FROM schedule s WHERE s.queue = of_queue AND s.name = of_name FOR UPDATE;
        CONTINUE WHEN NOT FOUND;  -- it was removed since
        made.fired_at := was.fired_at; made.fired_job := was.fired_job;
        made.paused_at := was.paused_at; made.pause_reason := was.pause_reason;
        IF (made.expression, made.zone, made.jitter, made.starts_at, made.ends_at)
           IS NOT DISTINCT FROM (was.expression, was.zone, was.jitter, was.starts_at, was.ends_at) THEN
            made.next_at := was.next_at;
        END IF;
        was.declared_at := made.declared_at;
        IF made IS NOT DISTINCT FROM was THEN
            UPDATE schedule s SET declared_at = made.declared_at WHERE s.queue = of_queue AND s.name = of_name;
            RETURN false;
        END IF;
        DELETE FROM schedule s WHERE s.queue = of_queue AND s.name = of_name;
        INSERT INTO schedule SELECT made.*;
        EXIT;
    END LOOP;
    PERFORM wake_schedulers();
    RETURN true;
END $$;

-- Enqueues the job of one tick. job null: none was enqueued, and `reason` says why, or a job with its unique key is
-- there already.
CREATE FUNCTION :"schema".enqueue_scheduled(s :"schema".schedule, tick timestamptz, OUT job int8, OUT reason text)
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    names text[] := ARRAY(SELECT s.headers[i] FROM generate_series(1, cardinality(s.headers), 2) i);
    texts text[] := ARRAY(SELECT s.headers[i] FROM generate_series(2, cardinality(s.headers), 2) i);
BEGIN
    IF s.overlap = 'c' AND s.fired_job IS NOT NULL THEN PERFORM cancel(ARRAY[s.fired_job], true); END IF;
    names := names || ARRAY['pgq-schedule', 'pgq-scheduled-at'];
    texts := texts || ARRAY[s.name, to_char(tick AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')];
    SELECT CASE WHEN e.fresh THEN e.job END INTO job FROM enqueue_tracked(
        ARRAY[s.lane], ARRAY[s.priority], ARRAY[(s.delay IS NOT NULL)::int4::int2],
        ARRAY[coalesce(to_microseconds(s.delay), 0)],
        ARRAY[(s.expected_in IS NOT NULL)::int4::int2], ARRAY[coalesce(to_microseconds(s.expected_in), 0)],
        ARRAY[s.body], array_fill(1, ARRAY[cardinality(names)]), names, texts,
        CASE WHEN s.key IS NULL THEN '{}'::text[] ELSE ARRAY[s.key] END, ARRAY[s.unique_key],
        ARRAY[left(s.unique_rule, 1)::"char"], ARRAY[to_microseconds(s.unique_period)],
        ARRAY[right(s.unique_rule, 1)::"char"],
        ARRAY[(s.expires_in IS NOT NULL)::int4::int2], ARRAY[coalesce(to_microseconds(s.expires_in), 0)],
        ARRAY[s.hold_expired], ARRAY[to_microseconds(s.keep_for)], ARRAY['h'::"char"],
        '{}', '{}', '{}', ARRAY[0::int8]) e;
EXCEPTION WHEN OTHERS THEN  -- what is wrong with one schedule stops no other
    IF SQLSTATE LIKE '40%' THEN RAISE; END IF;
    job := NULL; reason := SQLERRM;
END $$;

-- Fires ticks: compares, sets and enqueues in this transaction. `expected` is the next_at that the caller has read,
-- `nexts` the one behind the ticks, null if there are no more; times are microseconds since 1970. Tick number i belongs
-- to the schedule number tick_of[i], counted from 1.
--
-- outcome: f fired; n next_at is another one now; b another scheduler fires it just now; p it is paused; e a tick has
-- not come yet; g there is no such schedule. jobs and reasons: see enqueue_scheduled, one for each tick.
CREATE FUNCTION :"schema".fire_schedules(of_queue text, names text[], expected int8[], nexts int8[], tick_of int4[],
    ticks int8[])
RETURNS TABLE (number int4, outcome "char", next_tick timestamptz, jobs int8[], reasons text[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    one record;
    s schedule;
    tick timestamptz;
    put record;
BEGIN
    FOR one IN SELECT u.o, u.name, 'epoch'::timestamptz + to_interval(u.expected) AS expected,
                      coalesce('epoch'::timestamptz + to_interval(u.next), 'infinity') AS next
                 FROM unnest(names, expected, nexts) WITH ORDINALITY u(name, expected, next, o) ORDER BY u.name LOOP
        number := one.o; jobs := '{}'; reasons := '{}'; next_tick := one.next;
        SELECT * INTO s FROM schedule x WHERE x.queue = of_queue AND x.name = one.name FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            outcome := CASE WHEN EXISTS (SELECT FROM schedule x WHERE x.queue = of_queue AND x.name = one.name)
                            THEN 'b' ELSE 'g' END;
        ELSIF s.next_at <> one.expected THEN
            outcome := 'n'; next_tick := s.next_at;
        ELSIF s.paused_at IS NOT NULL THEN
            outcome := 'p';
        ELSIF EXISTS (SELECT FROM unnest(tick_of, ticks) t(o, at) WHERE t.o = one.o
                         AND 'epoch'::timestamptz + to_interval(t.at) > clock_timestamp()) THEN
            outcome := 'e';
        ELSE
            outcome := 'f';
            FOR tick IN SELECT 'epoch'::timestamptz + to_interval(t.at) FROM unnest(tick_of, ticks) t(o, at)
                         WHERE t.o = one.o ORDER BY t.at LOOP
                SELECT * INTO put FROM enqueue_scheduled(s, tick);
                jobs := jobs || put.job; reasons := reasons || coalesce(put.reason, '');
                s.fired_at := tick; s.fired_job := coalesce(put.job, s.fired_job);
            END LOOP;
            UPDATE schedule x SET next_at = one.next, fired_at = s.fired_at, fired_job = s.fired_job
             WHERE x.queue = of_queue AND x.name = one.name;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Changes a schedule: p pauses it, r resumes it: ticks of the pause are not fired; d deletes it; f enqueues its job
-- now, beside its ticks. changed: false if there is no such schedule, or if it is paused (not paused) already.
CREATE FUNCTION :"schema".change_schedule(of_queue text, of_name text, change "char", why text,
    OUT changed bool, OUT job int8, OUT reason text, OUT of_lane int4)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    s schedule;
BEGIN
    changed := false;
    SELECT * INTO s FROM schedule x WHERE x.queue = of_queue AND x.name = of_name FOR UPDATE;
    IF NOT FOUND OR change = 'p' AND s.paused_at IS NOT NULL OR change = 'r' AND s.paused_at IS NULL THEN
        RETURN;
    END IF;
    IF change = 'f' THEN
        SELECT e.job, e.reason INTO job, reason FROM enqueue_scheduled(s, clock_timestamp()) e;
        UPDATE schedule x SET fired_job = coalesce(change_schedule.job, x.fired_job)
         WHERE x.queue = of_queue AND x.name = of_name;
        changed := true; of_lane := s.lane;
        RETURN;
    ELSIF change = 'd' THEN
        DELETE FROM schedule x WHERE x.queue = of_queue AND x.name = of_name;
    ELSIF change = 'p' THEN
        UPDATE schedule x SET paused_at = clock_timestamp(), pause_reason = nullif(why, '')
         WHERE x.queue = of_queue AND x.name = of_name;
    ELSE
        UPDATE schedule x SET paused_at = NULL, pause_reason = NULL, next_at = greatest(x.next_at, clock_timestamp())
         WHERE x.queue = of_queue AND x.name = of_name;
    END IF;
    changed := true;
    PERFORM wake_schedulers();
END $$;

-- Notes that a program still declares these schedules.
CREATE FUNCTION :"schema".keep_schedules(of_queue text, names text[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
    UPDATE schedule SET declared_at = clock_timestamp()
     WHERE queue = of_queue AND name = ANY (names) AND declared_at < clock_timestamp() - interval '30 minutes'
$$;

-- Deletes the schedules of a queue that no program has declared for so long. Returns how many.
CREATE FUNCTION :"schema".prune_schedules(of_queue text, unused_for int8) RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    n int8;
BEGIN
    DELETE FROM schedule WHERE queue = of_queue AND declared_at < clock_timestamp() - to_interval(unused_for);
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN PERFORM wake_schedulers(); END IF;
    RETURN n;
END $$;

REVOKE ALL ON FUNCTION :"schema".to_interval, :"schema".to_microseconds, :"schema".wake_schedulers,
    :"schema".declare_schedule, :"schema".enqueue_scheduled, :"schema".fire_schedules, :"schema".change_schedule,
    :"schema".keep_schedules, :"schema".prune_schedules FROM PUBLIC;
