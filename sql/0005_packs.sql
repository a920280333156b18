-- Packs: many waiting jobs in one row. docs/design/packs.md gives the reasons.

-- Unpacks packs of these lanes, the best first, until `most` jobs are unpacked, of each lane when `of_each`. `most`
-- null: all of them. Returns how many jobs. It skips packs that a claim has locked and takes others. A pack has at
-- least ten jobs, unless a claim has put it back. Packs of paused lanes stay as they are.
CREATE FUNCTION :"schema".unpack(lanes int4[], most int8, of_each bool) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    moved int8 := 0;
    touched int4[];
BEGIN
    lanes := ARRAY(SELECT l FROM unnest(lanes) l WHERE NOT is_paused(l));
    WITH peek AS MATERIALIZED (
        SELECT e.lane, count(*) AS packs FROM (
            SELECT c.lane, sum(c.n) OVER (PARTITION BY CASE WHEN of_each THEN c.lane END
                                            ORDER BY c.rank, c.id) - c.n AS before
              FROM unnest(lanes) w(lane) CROSS JOIN LATERAL (
                SELECT p.lane, p.rank, p.id, p.n FROM pack p WHERE p.lane = w.lane
                 ORDER BY p.rank, p.id LIMIT most / 10 + 8) c) e
         WHERE most IS NULL OR e.before < most GROUP BY e.lane),
    back AS (SELECT * FROM move_packs_to_ready(ARRAY(
        SELECT c.place FROM peek k CROSS JOIN LATERAL (
            SELECT p.ctid AS place FROM pack p WHERE p.lane = k.lane
             ORDER BY p.rank, p.id LIMIT k.packs FOR UPDATE SKIP LOCKED) c)))
    SELECT sum(b.n), array_agg(b.lane) INTO moved, touched FROM back b;
    IF moved IS NULL THEN
        SELECT sum(b.n), array_agg(b.lane) INTO moved, touched FROM move_packs_to_ready(ARRAY(
            SELECT c.place FROM unnest(lanes) w(lane) CROSS JOIN LATERAL (
                SELECT p.ctid AS place FROM pack p WHERE p.lane = w.lane
                 ORDER BY p.rank, p.id LIMIT 1 FOR UPDATE SKIP LOCKED) c LIMIT most / 100 + 1)) b;
    END IF;
    PERFORM collect_wake_lanes(touched);
    RETURN coalesce(moved, 0);
END $$;

-- Unpacks all packs with any of these jobs. It waits for a pack that a claim has locked, and then for the rest that the
-- claim put back.
CREATE FUNCTION :"schema".unpack_jobs(which int8[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp AS $$
DECLARE
    places tid[];
BEGIN
    WHILE EXISTS (SELECT FROM pack p, unnest(which) w WHERE w BETWEEN p.id AND p.ids[p.n]) LOOP
        places := ARRAY(SELECT p.ctid FROM pack p
                         WHERE EXISTS (SELECT FROM unnest(which) w WHERE w BETWEEN p.id AND p.ids[p.n])
                             ORDER BY p.id FOR UPDATE);
        PERFORM collect_wake_lanes(ARRAY(SELECT b.lane FROM move_packs_to_ready(places) b));
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION :"schema".unpack, :"schema".unpack_jobs FROM PUBLIC;
