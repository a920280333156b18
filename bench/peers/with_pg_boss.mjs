// pg-boss. Best: fetch and complete as in its own speedTest, but with batches of 1000 instead of 5000, and in two
// loops.

import { PgBoss } from "pg-boss";
import pg from "pg";
import * as peer from "./peer.mjs";

const version = peer.version("pg-boss");
const report = (...row) => peer.report("pg-boss", version, ...row);
const queue = "mail";

async function drainByDefaults(boss, tally, count) {
  await boss.work(queue, async (jobs) => jobs.forEach(({ data }) => tally.see(data.number)));
  await tally.full();
  while ((await count()) > 0) await peer.pause();
}

async function drainByLoop(boss, tally) {
  for (;;) {
    const jobs = await boss.fetch(queue, { batchSize: peer.batch });
    if (jobs.length === 0) return;
    jobs.forEach(({ data }) => tally.see(data.number));
    await boss.complete(queue, jobs.map(({ id }) => id));
  }
}

const database = process.env.PGDATABASE;
const boss = new PgBoss(peer.best ? { database, min: 10, max: 10 } : { database });
boss.on("error", (error) => console.error(error));
await boss.start();
await boss.createQueue(queue);

const direct = new pg.Pool({ max: 1 });
const count = async () =>
  Number((await direct.query("SELECT count(*) FROM pgboss.job WHERE state < 'completed'")).rows[0].count);
const insertMany = async (n) => {
  for (const mails of peer.batches(n)) await boss.insert(queue, mails.map((data) => ({ data })));
};

let seconds = await peer.timed(async () => {
  for (let i = 0; i < peer.one; i++) await boss.send(queue, peer.mail(i));
});
peer.expect("jobs enqueued", await count(), peer.one);
report("enqueue", "one at a time", peer.one, seconds, "send");
await boss.deleteAllJobs(queue);

seconds = await peer.timed(() => insertMany(peer.many));
peer.expect("jobs enqueued", await count(), peer.many);
report("enqueue", `batch ${peer.batch}`, peer.many, seconds, "insert");
await boss.deleteAllJobs(queue);

await insertMany(peer.drain);
await direct.query("VACUUM ANALYZE");
await direct.query("CHECKPOINT");
const tally = new peer.Tally(peer.drain);
const drain = peer.best
  ? () => Promise.all([drainByLoop(boss, tally), drainByLoop(boss, tally)])
  : () => drainByDefaults(boss, tally, count);
seconds = await peer.timed(drain);
peer.expect("jobs left", await count(), 0);
tally.check();
if (peer.best) report("drain", `batch ${peer.batch}`, peer.drain, seconds, `loops: 2, fetch ${peer.batch}, complete ${peer.batch}`);
else report("drain", "one at a time", peer.drain, seconds, "work(): one job each 2 s, the first at once: few jobs look faster");

await direct.end();
await boss.stop({ graceful: false });
process.exit(0);
