-- Removes dead rows that VACUUM must leave. docs/design/speed.md gives the reasons, docs/guides/deployment.md the
-- price.

-- While a transaction holds an old snapshot, VACUUM leaves every row deleted since, and each claim from the start of a
-- lane reads all of them. Few rows of a busy queue are alive. So this keeps the living rows in memory, truncates the
-- table, which drops the dead ones, and inserts the living ones again.
--
-- It does so for one table at a time, where enough rows are dead, and where it gets the lock in time. It waits for
-- 20 ms, and up to 320 ms where more rows are dead: statements that read all of these rows hold the table for longer
-- than 20 ms. It keeps one lock only, because a claim needs two of these tables. Returns true when it has rewritten a
-- table.
--
-- It carries rows as values of their table's type, so a column that somebody else has added keeps its values.
--
-- A transaction with an older snapshot sees the table empty afterwards, as after any TRUNCATE: see
-- docs/guides/deployment.md. SET pgq.compact = off forbids it.
--
-- SECURITY DEFINER: a worker needs no right to truncate.
CREATE FUNCTION :"schema".compact(dead_jobs int8 DEFAULT 100000, dead_leases int8 DEFAULT 20000,
    dead_slots int8 DEFAULT 10000, dead_deferred int8 DEFAULT 100000)
RETURNS bool
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = :"schema", pg_catalog, pg_temp SET lock_timeout = '20ms' AS $$
DECLARE
    t record;
    dead_ int8;
    most_ int8;
    n int8;
    size_ int8;
    slots claim_slot[];
    leases lease[];
    packs pack[];
    jobs ready[];
    waiting deferred[];
    held bool;
    keys unique_key[];
BEGIN
    -- Each statement must see what was committed before it: an older snapshot would lose later rows.
    IF current_setting('transaction_isolation') <> 'read committed' OR current_setting('pgq.compact', true) = 'off'
       OR NOT pg_try_advisory_xact_lock('lease'::regclass::oid::int8 << 32) THEN
        RETURN false;
    END IF;
    FOR t IN SELECT * FROM (VALUES ('claim_slot', 'rank', dead_slots, 10000), ('lease', 'bodies', dead_leases, 1000),
                                   ('pack', 'bodies', dead_leases, 1000),
                                   ('deferred', 'body', dead_deferred, 10000),
                                   ('unique_key', 'digest', dead_leases, 10000),
                                   ('ready', 'body', dead_jobs, 10000)) v(name, payload, dead, most) LOOP
        -- The statistics, which are up to a second late, and the size of the file decide before anything is counted.
        -- The more rows are dead, the more living rows it may carry over: a queue slowed down by dead rows has more
        -- jobs waiting.
        dead_ := coalesce(pg_stat_get_dead_tuples(t.name::regclass), 0);
        most_ := greatest(t.most, least(dead_ / 10, 20 * t.most));
        CONTINUE WHEN dead_ < t.dead AND (pg_table_size(t.name::regclass) < 67108864 OR dead_ < t.dead / 100)
                      OR pg_relation_size(t.name::regclass) < 32 * least(t.dead, dead_)
                      OR coalesce(pg_stat_get_live_tuples(t.name::regclass), 0) > 2 * most_ + dead_;
        EXECUTE format(
            'SELECT count(*), coalesce(sum(pg_column_size(%1$I)), 0) FROM (SELECT %1$I FROM %2$I LIMIT %3$s) r',
            t.payload, t.name, most_ + 1) INTO n, size_;
        CONTINUE WHEN n > most_ OR size_ > 16777216 * least(4, most_ / t.most);
        PERFORM set_config('lock_timeout',
                           (20 * least(greatest(2 * dead_ / greatest(t.dead, 1) - 1, 1), 4) ^ 2)::text, true);
        BEGIN
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', t.name);
            CASE t.name
            WHEN 'claim_slot' THEN
                slots := ARRAY(SELECT r FROM claim_slot r);
                TRUNCATE claim_slot;
                INSERT INTO claim_slot SELECT * FROM unnest(slots);
            WHEN 'lease' THEN
                leases := ARRAY(SELECT r FROM lease r);
                TRUNCATE lease;
                INSERT INTO lease SELECT * FROM unnest(leases);
            WHEN 'pack' THEN
                packs := ARRAY(SELECT r FROM pack r);
                TRUNCATE pack;
                INSERT INTO pack SELECT * FROM unnest(packs);
            WHEN 'deferred' THEN
                -- A job that was held before its lane got dead letters stays held.
                waiting := ARRAY(SELECT r FROM deferred r);
                TRUNCATE deferred;
                held := EXISTS (SELECT FROM unnest(waiting) w WHERE w.kind = 'h');
                IF held THEN ALTER TABLE deferred DISABLE TRIGGER deferred_dead_letters; END IF;
                INSERT INTO deferred SELECT * FROM unnest(waiting);
                IF held THEN ALTER TABLE deferred ENABLE ALWAYS TRIGGER deferred_dead_letters; END IF;
            WHEN 'unique_key' THEN
                keys := ARRAY(SELECT r FROM unique_key r);
                TRUNCATE unique_key;
                INSERT INTO unique_key SELECT * FROM unnest(keys);
            WHEN 'ready' THEN
                jobs := ARRAY(SELECT r FROM ready r);
                TRUNCATE ready;
                INSERT INTO ready OVERRIDING SYSTEM VALUE SELECT * FROM unnest(jobs);
            END CASE;
            -- Reports the truncation at once, where the server can: otherwise the next call still counts the old dead
            -- rows.
            IF to_regproc('pg_catalog.pg_stat_force_next_flush') IS NOT NULL THEN
                EXECUTE 'SELECT pg_catalog.pg_stat_force_next_flush()';
            END IF;
            RETURN true;
        EXCEPTION WHEN lock_not_available OR insufficient_privilege THEN
        END;
    END LOOP;
    RETURN false;
END $$;

REVOKE ALL ON FUNCTION :"schema".compact FROM PUBLIC;
