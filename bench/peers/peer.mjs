// Shared by the Node programs here, as peer.py is by the Python programs.

import { readFileSync } from "node:fs";

export const batch = 1000;
export const [setting, ...sizes] = process.argv.slice(2);
export const [one, many, drain] = sizes.map(Number);
export const best = setting === "best";

export const mail = (number) => ({ to: "ada@example.org", number });
/** n jobs, in batches. */
export function* batches(n) {
  for (let begin = 0; begin < n; begin += batch)
    yield Array.from({ length: Math.min(batch, n - begin) }, (_, i) => mail(begin + i));
}

/** Reads package.json as a file, because not all packages export it. run.sh installs them next to its copy of this file. */
export const version = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;

export function report(system, version, question, what, n, seconds, how) {
  console.log(JSON.stringify({ system, version, setting, how, question, case: what, n, seconds }));
}

export function expect(what, is, shouldBe) {
  if (is !== shouldBe) throw new Error(`${what}: ${is} instead of ${shouldBe}`);
}

export async function timed(work) {
  const begin = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begin) / 1e9;
}

export const pause = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

/** Counts which of n jobs ran, and how often. */
export class Tally {
  constructor(n) {
    this.n = n;
    this.runs = 0;
    this.seen = new Set();
  }
  see(number) {
    this.runs++;
    this.seen.add(number);
  }
  async full() {
    while (this.runs < this.n) await pause();
  }
  check() {
    expect("executions", this.runs, this.n);
    expect("different jobs executed", this.seen.size, this.n);
  }
}
