"""pgjobq, which publishes no numbers. Best: four receivers with batches of 100, the fastest of a few tried settings."""

import asyncio
import json
from contextlib import asynccontextmanager
from importlib.metadata import version

import asyncpg
from pgjobq import connect_to_queue, create_queue, migrate_to_latest_version

import peer

receivers, batch_size = (4, 100) if peer.best else (1, 1)


class Heartbeat:
    """Works around a race in 0.10.0, which happens in every run of this length: pgjobq raises an error if a job ends
    between the choice of the jobs to extend and the statement."""

    def __init__(self, connection):
        self.connection = connection

    async def fetchval(self, *query):
        return await self.connection.fetchval(*query) or []


class Hook:
    @asynccontextmanager
    async def on_query(self, queue_name, operation, query, connection, args):
        yield Heartbeat(connection) if operation == "heartbeat" else connection


async def main():
    pool = await asyncpg.create_pool()
    await migrate_to_latest_version(pool)
    await create_queue("mail", pool)

    def report(*row):
        peer.report("pgjobq", version("pgjobq"), *row)

    async def count():
        return await pool.fetchval("SELECT count(*) FROM pgjobq.jobs")

    def body(number):
        return json.dumps(peer.mail(number)).encode()

    async def enqueue_many(queue, n):
        for batch in peer.batches(n):
            async with queue.send(*(body(i) for i in batch)):
                pass

    async def receive(queue, tally):
        async with queue.receive(batch_size=batch_size) as jobs:
            async for handle in jobs:
                async with handle.acquire() as job:
                    tally.see(json.loads(job.body)["number"])

    async with connect_to_queue("mail", pool, Hook()) as queue:
        begin = peer.now()
        for i in range(peer.one):
            async with queue.send(body(i)):
                pass
        seconds = peer.now() - begin
        peer.expect("jobs enqueued", await count(), peer.one)
        report("enqueue", "one at a time", peer.one, seconds, "asyncpg")
        await pool.execute("TRUNCATE pgjobq.jobs CASCADE")

        begin = peer.now()
        await enqueue_many(queue, peer.many)
        seconds = peer.now() - begin
        peer.expect("jobs enqueued", await count(), peer.many)
        report("enqueue", f"batch {peer.BATCH}", peer.many, seconds, "asyncpg")
        await pool.execute("TRUNCATE pgjobq.jobs CASCADE")

        await enqueue_many(queue, peer.drain)
        await pool.execute("VACUUM ANALYZE")
        await pool.execute("CHECKPOINT")
        tally = peer.Tally(peer.drain)
        begin = peer.now()
        runs = [asyncio.create_task(receive(queue, tally)) for _ in range(receivers)]
        await peer.until(tally.full, runs)
        await peer.until_none(count)
        seconds = peer.now() - begin
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        tally.check()
        how = f"receivers: {receivers}, its heartbeat race worked around"
        report("drain", f"batch {batch_size}", peer.drain, seconds, how)


asyncio.run(main())
