"""pgmq by its SQL functions. Best: batches of 100 as in its own benchmark; four readers read and delete them."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

import peer

readers, qty = (4, 100) if peer.best else (1, 1)
version = os.environ["PEERS_PGMQ_VERSION"]


def connect():
    return psycopg.connect(autocommit=True, prepare_threshold=1)


def main():
    connection = connect()
    connection.execute(Path(os.environ["PEERS_PGMQ_SQL"]).read_text())
    connection.execute("SELECT pgmq.create('mail')")

    def report(*row):
        peer.report("pgmq", version, *row)

    def count():
        return connection.execute("SELECT count(*) FROM pgmq.q_mail").fetchone()[0]

    def send_many(n):
        for batch in peer.batches(n):
            bodies = [Jsonb(peer.mail(i)) for i in batch]
            connection.execute("SELECT pgmq.send_batch('mail', %s::jsonb[])", [bodies])

    begin = peer.now()
    for i in range(peer.one):
        connection.execute("SELECT pgmq.send('mail', %s)", [Jsonb(peer.mail(i))])
    seconds = peer.now() - begin
    peer.expect("jobs enqueued", count(), peer.one)
    report("enqueue", "one at a time", peer.one, seconds, "psycopg")
    connection.execute("SELECT pgmq.purge_queue('mail')")

    begin = peer.now()
    send_many(peer.many)
    seconds = peer.now() - begin
    peer.expect("jobs enqueued", count(), peer.many)
    report("enqueue", f"batch {peer.BATCH}", peer.many, seconds, "psycopg")
    connection.execute("SELECT pgmq.purge_queue('mail')")

    send_many(peer.drain)
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")

    def read(own):
        seen = []
        while messages := own.execute("SELECT msg_id, message FROM pgmq.read('mail', 30, %s)", [qty]).fetchall():
            seen += [message["number"] for _, message in messages]
            ids = [id for id, _ in messages]
            if qty == 1:
                own.execute("SELECT pgmq.delete('mail', %s::bigint)", ids)
            else:
                own.execute("SELECT pgmq.delete('mail', %s::bigint[])", [ids])
        return seen

    tally = peer.Tally(peer.drain)
    connections = [connect() for _ in range(readers)]
    begin = peer.now()
    with ThreadPoolExecutor(readers) as executor:
        parts = list(executor.map(read, connections))
    seconds = peer.now() - begin
    for number in (number for part in parts for number in part):
        tally.see(number)
    peer.expect("jobs left", count(), 0)
    tally.check()
    report("drain", f"batch {qty}", peer.drain, seconds, f"psycopg, readers: {readers}")


main()
