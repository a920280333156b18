"""PGQueuer. Best: the five consumers of its own benchmark in one process, with batches of 100 instead of 10."""

import asyncio
import json
from importlib.metadata import version

import asyncpg
import uvloop
from pgqueuer import PgQueuer, Queries

import peer

workers, batch_size = 5, 100 if peer.best else 10


async def main():
    connection = await asyncpg.connect()
    queries = Queries.from_asyncpg_connection(connection)
    await queries.install()

    def report(*row):
        peer.report("PGQueuer", version("pgqueuer"), *row)

    async def count():
        return await connection.fetchval("SELECT count(*) FROM pgqueuer")

    async def empty():
        await connection.execute("TRUNCATE pgqueuer, pgqueuer_log")

    def body(number):
        return json.dumps(peer.mail(number)).encode()

    async def enqueue_many(n):
        for batch in peer.batches(n):
            await queries.enqueue(["mail"] * len(batch), [body(i) for i in batch], [0] * len(batch))

    begin = peer.now()
    for i in range(peer.one):
        await queries.enqueue("mail", body(i))
    seconds = peer.now() - begin
    peer.expect("jobs enqueued", await count(), peer.one)
    report("enqueue", "one at a time", peer.one, seconds, "asyncpg, one connection")
    await empty()

    begin = peer.now()
    await enqueue_many(peer.many)
    seconds = peer.now() - begin
    peer.expect("jobs enqueued", await count(), peer.many)
    report("enqueue", f"batch {peer.BATCH}", peer.many, seconds, "asyncpg, one connection")
    await empty()

    await enqueue_many(peer.drain)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    tally = peer.Tally(peer.drain)
    running = []
    for _ in range(workers):
        worker = PgQueuer.from_asyncpg_connection(await asyncpg.connect())

        @worker.entrypoint("mail")
        async def handle(job):
            tally.see(json.loads(job.payload)["number"])

        running.append(worker)
    begin = peer.now()
    runs = [asyncio.create_task(worker.run(batch_size=batch_size)) for worker in running]
    await peer.until(tally.full, runs)
    await peer.until_none(count)
    seconds = peer.now() - begin
    for worker in running:
        worker.shutdown.set()
    await asyncio.gather(*runs)
    tally.check()
    report("drain", f"batch {batch_size}", peer.drain, seconds, f"asyncpg, consumers: {workers}")


uvloop.run(main())
