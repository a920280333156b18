"""pq. Best: the four threads of its own benchmark."""

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import psycopg2
from pq import PQ
from psycopg2.pool import ThreadedConnectionPool

import peer

threads = 4 if peer.best else 1


def report(*row):
    peer.report("pq", version("pq"), *row)


def on_all(function, parts):
    with ThreadPoolExecutor(threads) as executor:
        return list(executor.map(function, parts))


def main():
    direct = psycopg2.connect("")
    direct.autocommit = True
    cursor = direct.cursor()
    pq = PQ(pool=ThreadedConnectionPool(threads, threads, ""))
    pq.create()
    queue = pq["mail"]

    def put(numbers):
        for i in numbers:
            queue.put(peer.mail(i))

    def put_many(n):  # one thread: an open transaction belongs to the queue, not to the thread
        for batch in peer.batches(n):
            with queue:
                put(batch)

    begin = peer.now()
    on_all(put, [range(i, peer.one, threads) for i in range(threads)])
    seconds = peer.now() - begin
    peer.expect("jobs enqueued", len(queue), peer.one)
    report("enqueue", "one at a time", peer.one, seconds, f"psycopg2, threads: {threads}")
    cursor.execute("TRUNCATE queue")

    begin = peer.now()
    put_many(peer.many)
    seconds = peer.now() - begin
    peer.expect("jobs enqueued", len(queue), peer.many)
    report("enqueue", f"batch {peer.BATCH}", peer.many, seconds, f"has no batches: {peer.BATCH} puts a transaction")
    cursor.execute("TRUNCATE queue")

    put_many(peer.drain)
    cursor.execute("VACUUM ANALYZE")
    cursor.execute("CHECKPOINT")
    tally = peer.Tally(peer.drain)

    def get(_):
        seen = []
        while (job := queue.get(block=False)) is not None:
            seen.append(job.data["number"])
        return seen

    begin = peer.now()
    parts = on_all(get, range(threads))
    seconds = peer.now() - begin
    for number in (number for part in parts for number in part):
        tally.see(number)
    peer.expect("jobs left", len(queue), 0)
    tally.check()
    report("drain", "one at a time", peer.drain, seconds, f"threads: {threads}; at most once, has no ack")


main()
