"""procrastinate. Its own benchmark uses the defaults. Best: four workers in one process that delete finished jobs, the
fastest of a few tried settings."""

import asyncio
from importlib.metadata import version

import psycopg
from procrastinate import App, PsycopgConnector

import peer

workers = 4 if peer.best else 1
settings = {"concurrency": 5, "delete_jobs": "always", "listen_notify": False} if peer.best else {}
pool = {"min_size": 20, "max_size": 20} if peer.best else {}
how = f"workers: {workers}, " + ("5 jobs at a time, deletes them, no LISTEN" if peer.best else "one job at a time, keeps them")

app = App(connector=PsycopgConnector(**pool))
tally = None


@app.task(name="mail")
async def handle(to, number):
    tally.see(number)


async def main():
    global tally
    connection = await psycopg.AsyncConnection.connect(autocommit=True)

    def report(*row):
        peer.report("procrastinate", version("procrastinate"), *row)

    async def count():
        left = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        return (await (await connection.execute(left)).fetchone())[0]

    async def empty():
        await connection.execute("TRUNCATE procrastinate_jobs CASCADE")

    async def enqueue_many(n):
        for batch in peer.batches(n):
            await handle.batch_defer_async(*(peer.mail(i) for i in batch))

    async with app.open_async():
        await app.schema_manager.apply_schema_async()

        begin = peer.now()
        for i in range(peer.one):
            await handle.defer_async(**peer.mail(i))
        seconds = peer.now() - begin
        peer.expect("jobs enqueued", await count(), peer.one)
        report("enqueue", "one at a time", peer.one, seconds, "psycopg")
        await empty()

        begin = peer.now()
        await enqueue_many(peer.many)
        seconds = peer.now() - begin
        peer.expect("jobs enqueued", await count(), peer.many)
        report("enqueue", f"batch {peer.BATCH}", peer.many, seconds, "psycopg")
        await empty()

        await enqueue_many(peer.drain)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        tally = peer.Tally(peer.drain)
        begin = peer.now()
        runs = []
        for _ in range(workers):
            runs.append(asyncio.create_task(app.run_worker_async(install_signal_handlers=False, **settings)))
        await peer.until(tally.full, runs)
        await peer.until_none(count)
        seconds = peer.now() - begin
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        tally.check()
        report("drain", "one at a time", peer.drain, seconds, how)


asyncio.run(main())
