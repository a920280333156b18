"""PgQ of SkyTools, by its SQL functions, with one consumer. A thread makes the ticks, in place of the daemon.

Defaults: a tick each second, and 300 events per fetch, as in its daemon and its Python consumer. Best: 5000 events per
fetch; no tried setting was clearly faster.
"""

import json
import threading

import psycopg
from psycopg.rows import dict_row

import peer

period = 1.0
fetch = 5000 if peer.best else 300


def connect():
    return psycopg.connect(autocommit=True, prepare_threshold=1)


class Ticker(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.stop = threading.Event()

    def run(self):
        with connect() as connection:
            while not self.stop.wait(period):
                connection.execute("SELECT pgq.ticker()")


def main():
    connection = connect()
    connection.execute("CREATE EXTENSION pgq")
    version = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'pgq'").fetchone()[0]
    connection.execute("SELECT pgq.create_queue('mail'), pgq.register_consumer('mail', 'reader')")
    ticker = Ticker()
    ticker.start()

    def report(*row):
        peer.report("PgQ (SkyTools)", version, *row)

    def inserted():
        return connection.execute("SELECT count(*) FROM pgq.event_template").fetchone()[0]  # includes the tables that inherit from it

    insert = "SELECT pgq.insert_event('mail', 'mail', %s)"

    def insert_many(n):
        cursor = connection.cursor()
        for batch in peer.batches(n):
            with connection.transaction():
                cursor.executemany(insert, [[json.dumps(peer.mail(i))] for i in batch])

    def tick_all():
        connection.execute("SELECT pgq.force_tick('mail')")
        connection.execute("SELECT pgq.ticker('mail')")

    def fetched(batch):
        """The bodies of a batch."""
        cursor = connection.cursor(row_factory=dict_row)
        with connection.transaction():
            rows = cursor.execute("SELECT * FROM pgq.get_batch_cursor(%s, 'events', %s)", [batch, fetch]).fetchall()
            while rows:
                for row in rows:
                    yield row["ev_data"]
                rows = cursor.execute(f"FETCH {fetch} FROM events").fetchall() if len(rows) == fetch else []

    def read(tally):
        """Reads until no batch is left."""
        while (batch := connection.execute("SELECT pgq.next_batch('mail', 'reader')").fetchone()[0]) is not None:
            for data in fetched(batch):
                tally.see(json.loads(data)["number"])
            connection.execute("SELECT pgq.finish_batch(%s)", [batch])

    begin = peer.now()
    for i in range(peer.one):
        connection.execute(insert, [json.dumps(peer.mail(i))])
    seconds = peer.now() - begin
    peer.expect("jobs enqueued", inserted(), peer.one)
    report("enqueue", "one at a time", peer.one, seconds, "psycopg")

    begin = peer.now()
    insert_many(peer.many)
    seconds = peer.now() - begin
    peer.expect("jobs enqueued", inserted(), peer.one + peer.many)
    report("enqueue", f"batch {peer.BATCH}", peer.many, seconds, f"has no batches: {peer.BATCH} inserts a pipeline and transaction")

    tick_all()
    read(peer.Tally(max(peer.one, peer.many)))
    insert_many(peer.drain)
    tick_all()
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")
    tally = peer.Tally(peer.drain)
    begin = peer.now()
    read(tally)
    seconds = peer.now() - begin
    ticker.stop.set()
    ticker.join()
    tally.check()
    how = f"one consumer, a tick each {period:g} s, fetches {fetch}; no ack of single jobs"
    report("drain", "batch of a tick", peer.drain, seconds, how)


main()
