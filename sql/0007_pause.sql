-- Pausing and draining. docs/design/pausing.md gives the reasons.

-- What is paused or draining, and since when. Entrypoint '': the whole queue. Queue '': everything in this schema.
-- paused: no job starts. draining: no job is enqueued.
CREATE TABLE :"schema".paused (
    queue      text NOT NULL,
    entrypoint text NOT NULL,
    kind       text NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    reason     text NOT NULL,
    PRIMARY KEY (queue, entrypoint, kind),
    CONSTRAINT paused_kind CHECK (kind IN ('paused', 'draining')),
    CONSTRAINT paused_scope CHECK (queue <> '' OR entrypoint = '')
);

-- The lanes from which no job is claimed. Only the functions below write it.
CREATE TABLE :"schema".paused_lane (lane int4 PRIMARY KEY);

-- Claims call the first two, enqueues the third. The planner puts their text into the statements, so that they cost
-- nothing while nothing is paused or draining. Then pause() and resume() replace them, and the server plans the
-- statements of all sessions again.
CREATE FUNCTION :"schema".is_paused(of_lane int4) RETURNS bool LANGUAGE sql STABLE RETURN false;
CREATE FUNCTION :"schema".paused_lanes() RETURNS int4[] LANGUAGE sql STABLE RETURN '{}'::int4[];
CREATE FUNCTION :"schema".open_lane(of_lane int4) RETURNS int4 LANGUAGE sql STABLE RETURN of_lane;

-- Refuses an enqueue to a lane that is draining; answers with the lane. open_lane() calls it while something drains.
CREATE FUNCTION :"schema".check_open(of_lane int4) RETURNS int4
LANGUAGE plpgsql STABLE SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    rule record;
BEGIN
    SELECT a.queue, a.entrypoint, r.queue AS of_queue, r.entrypoint AS of_entrypoint, r.since, r.reason INTO rule
      FROM lane a JOIN paused r ON r.queue IN ('', a.queue) AND r.entrypoint IN ('', a.entrypoint)
     WHERE a.id = of_lane AND r.kind = 'draining' ORDER BY r.queue DESC, r.entrypoint DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'PQ004',
            MESSAGE = format('the entrypoint "%s" of the queue "%s" takes no new jobs: %s', rule.entrypoint, rule.queue,
                             coalesce(nullif(rule.reason, ''), 'it is draining')),
            DETAIL = CASE WHEN rule.of_queue = '' THEN 'Everything in this schema'
                          WHEN rule.of_entrypoint = '' THEN 'The whole queue' ELSE 'The entrypoint' END
                     || format(' is draining since %s.', rule.since),
            HINT = 'enqueue again when somebody has called resume(), or use another queue';
    END IF;
    RETURN of_lane;
END $$;

-- Makes paused_lane and the functions above say what `paused` says. Writes only what changes.
CREATE FUNCTION :"schema".apply_pauses() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    calls bool;
    how text := format('STABLE SECURITY DEFINER SET search_path = %I, pg_catalog, pg_temp', current_schema());
BEGIN
    DELETE FROM paused_lane p WHERE NOT EXISTS (
        SELECT FROM paused r JOIN lane a ON r.queue IN ('', a.queue) AND r.entrypoint IN ('', a.entrypoint)
         WHERE a.id = p.lane AND r.kind = 'paused');
    INSERT INTO paused_lane
    SELECT DISTINCT a.id FROM paused r JOIN lane a ON r.queue IN ('', a.queue) AND r.entrypoint IN ('', a.entrypoint)
     WHERE r.kind = 'paused' ON CONFLICT DO NOTHING;

    calls := (SELECT prosecdef FROM pg_proc WHERE oid = 'is_paused'::regproc);
    IF calls AND NOT EXISTS (SELECT FROM paused WHERE kind = 'paused') THEN
        CREATE OR REPLACE FUNCTION is_paused(of_lane int4) RETURNS bool LANGUAGE sql STABLE RETURN false;
        CREATE OR REPLACE FUNCTION paused_lanes() RETURNS int4[] LANGUAGE sql STABLE RETURN '{}'::int4[];
    ELSIF NOT calls AND EXISTS (SELECT FROM paused WHERE kind = 'paused') THEN
        EXECUTE 'CREATE OR REPLACE FUNCTION is_paused(of_lane int4) RETURNS bool LANGUAGE sql ' || how
            || ' RETURN EXISTS (SELECT FROM paused_lane p WHERE p.lane = of_lane)';
        EXECUTE 'CREATE OR REPLACE FUNCTION paused_lanes() RETURNS int4[] LANGUAGE sql ' || how
            || ' RETURN ARRAY(SELECT p.lane FROM paused_lane p)';
    END IF;
    calls := (SELECT prosecdef FROM pg_proc WHERE oid = 'open_lane'::regproc);
    IF calls AND NOT EXISTS (SELECT FROM paused WHERE kind = 'draining') THEN
        CREATE OR REPLACE FUNCTION open_lane(of_lane int4) RETURNS int4 LANGUAGE sql STABLE RETURN of_lane;
    ELSIF NOT calls AND EXISTS (SELECT FROM paused WHERE kind = 'draining') THEN
        EXECUTE 'CREATE OR REPLACE FUNCTION open_lane(of_lane int4) RETURNS int4 LANGUAGE sql ' || how
            || ' RETURN check_open(of_lane)';
    END IF;
END $$;

-- Tells each worker of these lanes to look at what is paused: it gives back what it has not begun, or claims again.
CREATE FUNCTION :"schema".notify_paused(of_queue text, of_entrypoint text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    touched int4[] := ARRAY(SELECT a.id FROM lane a
                             WHERE of_queue IN ('', a.queue) AND of_entrypoint IN ('', a.entrypoint));
BEGIN
    PERFORM pg_notify('pgq_' || schema_id() || '_' || w.id, 'stop') FROM worker w
     WHERE w.lanes && touched OR w.queue_prefix IS NOT NULL;  -- these serve many queue names, perhaps this one
END $$;

-- Pauses or drains an entrypoint, a queue ('' as the entrypoint), or everything ('' as both). True if this was not so
-- before; else only the reason changes.
--
-- The lock of `lane` keeps new lanes away: the trigger below and this function would not see each other's rows. So this
-- waits for transactions that have made lanes.
CREATE FUNCTION :"schema".pause(of_queue text, of_entrypoint text, why text, what text DEFAULT 'paused') RETURNS bool
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    fresh bool;
BEGIN
    LOCK TABLE lane IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO paused AS p (queue, entrypoint, kind, reason) VALUES (of_queue, of_entrypoint, what, why)
        ON CONFLICT (queue, entrypoint, kind) DO UPDATE SET reason = EXCLUDED.reason RETURNING p.xmax = 0 INTO fresh;
    PERFORM apply_pauses();
    PERFORM notify_paused(of_queue, of_entrypoint);
    RETURN fresh;
END $$;

-- Ends the pause, or the draining, or both, of exactly this entrypoint, queue or everything. False if there was none.
CREATE FUNCTION :"schema".resume(of_queue text, of_entrypoint text) RETURNS bool
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE lane IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM paused p WHERE p.queue = of_queue AND p.entrypoint = of_entrypoint;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM apply_pauses();
    PERFORM notify_paused(of_queue, of_entrypoint);
    RETURN true;
END $$;

-- A lane that is made while its queue is paused is paused from the start. The trigger runs with the rights of the role
-- that makes the lane, which may not write paused_lane; pause_lane() may.
CREATE FUNCTION :"schema".pause_lane(of_lane int4) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO paused_lane
    SELECT a.id FROM lane a JOIN paused r ON r.queue IN ('', a.queue) AND r.entrypoint IN ('', a.entrypoint)
     WHERE a.id = of_lane AND r.kind = 'paused' ON CONFLICT DO NOTHING;
END $$;
CREATE FUNCTION :"schema".pause_new_lane() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pause_lane(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER lane_paused AFTER INSERT ON :"schema".lane
    FOR EACH ROW EXECUTE FUNCTION :"schema".pause_new_lane();
ALTER TABLE :"schema".lane ENABLE ALWAYS TRIGGER lane_paused;

REVOKE ALL ON FUNCTION :"schema".is_paused, :"schema".paused_lanes, :"schema".open_lane, :"schema".check_open,
    :"schema".apply_pauses, :"schema".notify_paused, :"schema".pause, :"schema".resume, :"schema".pause_lane,
    :"schema".pause_new_lane FROM PUBLIC;
