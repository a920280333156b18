// graphile-worker. Best: the settings of its own perfTest, with one process per core, at most four as in perfTest.
// "single": the same with one process, to compare with one worker process of the other systems.

import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Logger, makeWorkerUtils, run, runOnce } from "graphile-worker";
import pg from "pg";
import * as peer from "./peer.mjs";

const version = peer.version("graphile-worker");
const logger = new Logger(() => () => {});
const processes = peer.setting === "single" ? 1 : Math.min(4, availableParallelism());
const tuned = peer.setting !== "defaults";
const report = (...row) => peer.report("graphile-worker", version, ...row);

const perfTest = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

function newPool(max) {
  const pool = new pg.Pool({ max });
  pool.on("error", (error) => console.error(error)); // graphile-worker warns about pools without a handler
  pool.on("connect", (client) => client.on("error", (error) => console.error(error)));
  return pool;
}

/** A worker process of `best`: works until the queue is empty, then sends the numbers of its jobs. */
async function child() {
  const pgPool = newPool(perfTest.maxPoolSize);
  await pgPool.query("SELECT 1");
  const seen = [];
  const taskList = { mail: (payload) => void seen.push(payload.number) };
  process.once("message", async () => {
    await runOnce({ pgPool, taskList, logger, noHandleSignals: true, preset: { worker: perfTest } });
    process.send({ ended: true });
    await new Promise((sent) => process.send({ seen }, sent)); // disconnect() would drop messages in flight
    await pgPool.end();
    process.disconnect();
  });
  process.send({ ready: true });
}

async function drainByProcesses(tally) {
  const received = { ready: 0, ended: 0, seen: 0 };
  const children = Array.from({ length: processes }, () => fork(fileURLToPath(import.meta.url), ["child"]));
  for (const each of children) {
    each.on("message", (message) => {
      for (const key of Object.keys(message)) received[key]++;
      message.seen?.forEach((number) => tally.see(number));
    });
    each.on("exit", (status) => {
      if (status !== 0) throw new Error(`a worker process failed with status ${status}`);
    });
  }
  const all = async (key) => {
    while (received[key] < processes) await peer.pause(1);
  };
  await all("ready");
  const seconds = await peer.timed(async () => {
    children.forEach((each) => each.send("go"));
    await all("ended");
  });
  await all("seen");
  return seconds;
}

async function drainByDefaults(tally, pgPool, count) {
  let runner;
  const seconds = await peer.timed(async () => {
    runner = await run({ pgPool, logger, noHandleSignals: true, taskList: { mail: ({ number }) => tally.see(number) } });
    await tally.full();
    while ((await count()) > 0) await peer.pause();
  });
  await runner.stop();
  return seconds;
}

async function main() {
  const pgPool = newPool(10);
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  const count = async () => Number((await pgPool.query("SELECT count(*) FROM graphile_worker.jobs")).rows[0].count);
  const empty = () => pgPool.query("DELETE FROM graphile_worker._private_jobs");
  const addMany = async (n) => {
    for (const mails of peer.batches(n)) await utils.addJobs(mails.map((payload) => ({ identifier: "mail", payload })));
  };

  let seconds = await peer.timed(async () => {
    for (let i = 0; i < peer.one; i++) await utils.addJob("mail", peer.mail(i));
  });
  peer.expect("jobs enqueued", await count(), peer.one);
  report("enqueue", "one at a time", peer.one, seconds, "addJob");
  await empty();

  seconds = await peer.timed(() => addMany(peer.many));
  peer.expect("jobs enqueued", await count(), peer.many);
  report("enqueue", `batch ${peer.batch}`, peer.many, seconds, "addJobs");
  await empty();

  await addMany(peer.drain);
  await pgPool.query("VACUUM ANALYZE");
  await pgPool.query("CHECKPOINT");
  const tally = new peer.Tally(peer.drain);
  seconds = tuned ? await drainByProcesses(tally) : await drainByDefaults(tally, pgPool, count);
  peer.expect("jobs left", await count(), 0);
  tally.check();
  if (tuned)
    report("drain", "batch 500", peer.drain, seconds, `its perfTest: local queue 500, 24 jobs at a time; processes: ${processes}`);
  else report("drain", "one at a time", peer.drain, seconds, "one process, one job at a time");
  await utils.release();
  await pgPool.end();
}

await (peer.setting === "child" ? child() : main());
