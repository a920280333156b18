-- Dead rows that VACUUM has to leave. See docs/design/speed.md for the reasons, docs/guides/deployment.md for the price.

-- What a table holds while it is written anew.
CREATE UNLOGGED TABLE :"schema".ready_rest (LIKE :"schema".ready INCLUDING STORAGE);
CREATE UNLOGGED TABLE :"schema".pack_rest (LIKE :"schema".pack INCLUDING STORAGE);
CREATE UNLOGGED TABLE :"schema".lease_rest (LIKE :"schema".lease INCLUDING STORAGE);
CREATE UNLOGGED TABLE :"schema".turn_rest (LIKE :"schema".turn);

-- While anybody holds an old snapshot VACUUM leaves every row that has gone since, and each claim that begins at the start of a lane looks
-- at all of them. But jobs move on quickly, and few rows are left: these are written anew, and the rest goes with the file. Only
-- where it is worth it, and where nobody has to wait for longer than 20 ms; true when it was done, to one of the tables: who has the
-- lock of one waits for no other, because a claim needs both.
--
-- Who has a snapshot from before sees the tables empty from then on, as after any TRUNCATE: see docs/guides/deployment.md.
-- SET pgq.compact = off forbids it.
CREATE FUNCTION :"schema".compact(dead_jobs int8 DEFAULT 100000, dead_leases int8 DEFAULT 20000, dead_turns int8 DEFAULT 10000)
RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = :"schema", pg_catalog, pg_temp SET lock_timeout = '20ms' AS $$
DECLARE
    t record;
    dead_ int8;
    most_ int8;
    n int8;
    size_ int8;
BEGIN
    -- Each statement has to see what was committed before it: an older snapshot would lose what has come since.
    IF current_setting('transaction_isolation') <> 'read committed' OR current_setting('pgq.compact', true) = 'off'
       OR NOT pg_try_advisory_xact_lock('lease'::regclass::oid::int8 << 32) THEN
        RETURN false;
    END IF;
    FOR t IN SELECT * FROM (VALUES ('turn', 'rank', dead_turns, 10000), ('lease', 'bodies', dead_leases, 1000),
                                   ('pack', 'bodies', dead_leases, 1000),
                                   ('ready', 'body', dead_jobs, 10000)) v(name, payload, dead, most) LOOP
        -- As the statistics have it, which are a second late, and the file, before anything is counted. The more is dead the more may be
        -- carried over: a queue that has become slow by it is a queue with more waiting.
        dead_ := coalesce(pg_stat_get_dead_tuples(t.name::regclass), 0);
        most_ := greatest(t.most, least(dead_ / 10, 20 * t.most));
        CONTINUE WHEN dead_ < t.dead AND (pg_table_size(t.name::regclass) < 67108864 OR dead_ < t.dead / 100)
                      OR pg_relation_size(t.name::regclass) < 32 * least(t.dead, dead_)
                      OR coalesce(pg_stat_get_live_tuples(t.name::regclass), 0) > 2 * most_ + dead_;
        EXECUTE format('SELECT count(*), coalesce(sum(pg_column_size(%1$I)), 0) FROM (SELECT %1$I FROM %2$I LIMIT %3$s) r',
                       t.payload, t.name, most_ + 1) INTO n, size_;
        CONTINUE WHEN n > most_ OR size_ > 16777216 * least(4, most_ / t.most);
        BEGIN
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', t.name);
            EXECUTE format('INSERT INTO %I SELECT * FROM %I', t.name || '_rest', t.name);
            GET DIAGNOSTICS n = ROW_COUNT;
            EXECUTE format('TRUNCATE %I', t.name);
            IF n > 0 THEN
                EXECUTE format('INSERT INTO %I OVERRIDING SYSTEM VALUE SELECT * FROM %I', t.name, t.name || '_rest');
                EXECUTE format('TRUNCATE %I', t.name || '_rest');
            END IF;
            -- So that nobody finds the dead of before in the statistics; where the server has it.
            IF to_regproc('pg_catalog.pg_stat_force_next_flush') IS NOT NULL THEN
                EXECUTE 'SELECT pg_catalog.pg_stat_force_next_flush()';
            END IF;
            RETURN true;
        EXCEPTION WHEN lock_not_available OR insufficient_privilege THEN
        END;
    END LOOP;
    RETURN false;
END $$;
