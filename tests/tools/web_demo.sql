-- Jobs, workers, history, limits and schedules for the tests of the web page and for its pictures. The schema must be
-- new. One payload, one header and one reason have markup in them.
SET search_path = pgq_jobs;

INSERT INTO lane (queue, entrypoint) VALUES
    ('shop', 'send_mail'), ('shop', 'resize_image'), ('shop', 'charge_card'), ('shop', 'build_report'),
    ('billing', 'export_ledger'), ('billing', 'sync_customer'), ('search', 'reindex');

-- add_ready(ENTRYPOINT, N, AGE): jobs that wait.
CREATE FUNCTION pg_temp.lane_of(e text) RETURNS int4 LANGUAGE sql AS $$
    SELECT id FROM pgq_jobs.lane WHERE entrypoint = e $$;
INSERT INTO ready (rank, lane, body, enqueued_at, headers)
SELECT -1, pg_temp.lane_of(e), convert_to(format('{"order": %s, "to": "user%s@example.com"}', 7000 + n, n), 'UTF8'),
       now() - age * (1 - n / (many + 1.0)),
       jsonb_build_object('tenant', (ARRAY['acme', 'globex', 'initech'])[1 + n % 3])
  FROM (VALUES ('send_mail', 148, interval '42 s'), ('resize_image', 23, interval '8 s'),
               ('reindex', 12000, interval '11 min'), ('export_ledger', 4, interval '3 s')) v(e, many, age),
       generate_series(1, many) n;

INSERT INTO deferred (run_at, id, rank, lane, attempts, kind, changed_at, reason, body, enqueued_at)
SELECT now() + n * interval '3 min', nextval('job_id'), -1, pg_temp.lane_of('build_report'), 0, 'd', now(), NULL,
       convert_to(format('{"month": "2026-%s"}', n), 'UTF8'), now() - interval '1 h'
  FROM generate_series(1, 12) n;
INSERT INTO deferred (run_at, id, rank, lane, attempts, kind, changed_at, reason, body, enqueued_at)
SELECT now() + n * interval '20 s', nextval('job_id'), -1, pg_temp.lane_of('charge_card'), 2, 'r',
       now() - interval '10 s', 'gateway timeout after 5000 ms',
       convert_to(format('{"order": %s, "cents": 1990}', 6000 + n), 'UTF8'),
       now() - interval '4 min'
  FROM generate_series(1, 9) n;
INSERT INTO deferred (run_at, id, rank, lane, attempts, kind, changed_at, reason, body, headers, enqueued_at)
SELECT 'infinity', nextval('job_id'), -1, pg_temp.lane_of(e), 5, 'h', now() - n * interval '7 min', reason,
       convert_to(format('{"order": %s}', 5000 + n), 'UTF8'), '{"tenant": "acme"}', now() - n * interval '8 min'
  FROM (VALUES ('send_mail', 31, '550 5.1.1 mailbox unavailable'),
               ('send_mail', 6, 'connection refused by smtp.example.com:25'),
               ('charge_card', 12, E'card declined: insufficient funds\nat charge() in gateway.cpp:88'),
               ('sync_customer', 3, 'HTTP 502 from crm.example.com')) v(e, many, reason), generate_series(1, many) n;
INSERT INTO deferred (run_at, id, rank, lane, attempts, kind, changed_at, reason, body, headers, enqueued_at)
VALUES ('infinity', 900001, -1, pg_temp.lane_of('sync_customer'), 3, 'h', now() - interval '1 min',
        '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>',
        convert_to('{"name": "<script>window.pwned=1</script>", "id": 9007199254740993, "tags": ["a", "</pre>"]}',
                   'UTF8'),
        '{"tenant": "<b>bold</b>"}', now() - interval '2 min'),
       ('infinity', 900002, -1, pg_temp.lane_of('sync_customer'), 1, 'h', now(), 'the payload cannot be read',
        '\x00ff10a0deadbeef', NULL, now() - interval '3 min'),
       ('infinity', 900003, -1, pg_temp.lane_of('sync_customer'), 1, 'h', now(), 'no key with this id',
        '\x01046b657931'::bytea || decode(repeat('5a', 80), 'hex'), NULL, now() - interval '3 min'),
       ('infinity', 900010, -1, pg_temp.lane_of('build_report'), 0, 'b', now(), NULL, '{"after": "export"}', NULL,
        now() - interval '30 s');
INSERT INTO dependency (parent, child) SELECT max(id), 900010 FROM ready WHERE lane = pg_temp.lane_of('export_ledger');

INSERT INTO failure (id, lane, attempt, failed_at, reason)
SELECT id, lane, n, changed_at - (attempts - n) * interval '40 s', split_part(reason, E'\n', 1)
  FROM deferred, generate_series(1, attempts) n WHERE kind IN ('h', 'r');

INSERT INTO worker (id, lease_time, heartbeat_at, started_at, host, pid, version, lanes) VALUES
    (101, '30 days', now(), now() - interval '3 h 12 min', 'app-1.internal', 4711, '1.0', ARRAY[1, 2, 3, 4]),
    (102, '30 days', now() - interval '2 s', now() - interval '3 h 11 min', 'app-2.internal', 4702, '1.0',
     ARRAY[1, 2, 3, 4]),
    (103, '30 days', now() - interval '1 s', now() - interval '26 h', 'batch-1.internal', 917, '1.0', ARRAY[5, 6, 7]),
    (104, '30 s', now() - interval '9 min', now() - interval '5 h', 'batch-2.internal', 921, '0.9', ARRAY[7]);
INSERT INTO lease (worker, lane, max_attempts, ids, ranks, attempts, bodies, enqueued_at, limited, claimed_at)
SELECT w, pg_temp.lane_of(e), 5, array_agg(nextval('job_id')), ARRAY[-1], ARRAY[1],
       array_agg(convert_to(format('{"order": %s}', 8000 + n), 'UTF8')), ARRAY[now() - interval '4 s'], true,
       now() - interval '2 s'
  FROM (VALUES (101, 'send_mail', 6), (102, 'resize_image', 3), (103, 'reindex', 8)) v(w, e, many),
       generate_series(1, many) n
 GROUP BY w, e;

INSERT INTO lane_limit (queue, entrypoint, kind, amount, per, burst, tokens) VALUES
    ('shop', 'charge_card', 'r', 30, '1 min', 10, 4), ('shop', 'resize_image', 'c', 4, '1 s', 1, 1),
    ('search', '', 'c', 8, '1 s', 1, 1);

INSERT INTO schedule (queue, name, lane, expression, zone, jitter, missed_count, overlap, next_at, fired_at, fired_job,
                      declared_at, priority, hold_expired, keep_for, unique_key, unique_rule, unique_period, headers,
                      body)
SELECT queue, name, pg_temp.lane_of(e), expression, 'UTC', '0', 1, 'a', date_trunc('minute', now()) + next,
       now() - fired, NULL, now(), 0, false, '0', '', '', '0', '{}', '{}'
  FROM (VALUES ('billing', 'nightly-ledger', 'export_ledger', '15 2 * * *', interval '9 h', interval '15 h'),
               ('shop', 'weekly-report', 'build_report', '0 6 * * 1', interval '3 days', interval '4 days'),
               ('search', 'refresh', 'reindex', '*/5 * * * *', interval '4 min', interval '1 min'))
       v(queue, name, e, expression, next, fired);

-- Two days of minutes, with a day's rhythm, a dip and a burst of failures.
INSERT INTO minute (lane, at, worker, enqueued, done, retried, held, wait_us, run_us, wait, run)
SELECT pg_temp.lane_of(e), date_trunc('minute', now()) - m * interval '1 min', 1, greatest(0, n), greatest(0, n - 1),
       CASE WHEN m BETWEEN 20 AND 26 THEN n / 5 ELSE n / 60 END, CASE WHEN m BETWEEN 21 AND 24 THEN n / 12 ELSE 0 END,
       n * 30000, n * 400000,
       round(n * 6 / 10 * 10 ^ (12 * 8)::numeric + n * 3 / 10 * 10 ^ (12 * 10)::numeric + 10 ^ (12 * 9)::numeric
             + (CASE WHEN m BETWEEN 20 AND 26 THEN n / 5 ELSE n / 30 END) * 10 ^ (12 * 12)::numeric),
       round(n * 7 / 10 * 10 ^ (12 * 11)::numeric + n * 2 / 10 * 10 ^ (12 * 12)::numeric
             + n / 40 * 10 ^ (12 * 14)::numeric + 10 ^ (12 * 12)::numeric)
  FROM (VALUES ('send_mail', 220), ('resize_image', 90), ('charge_card', 60), ('reindex', 400), ('sync_customer', 25))
       v(e, base),
       generate_series(0, 2879) m,
       LATERAL (SELECT (base * (1 + 0.5 * sin((m % 1440) / 1440.0 * 6.283)) *
                        (CASE WHEN m BETWEEN 38 AND 43 THEN 0.3 ELSE 1 END) *
                        (0.9 + 0.2 * ((m * 7919 + base) % 100) / 100.0))::int4 AS n) x;
