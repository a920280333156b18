// croner_oracle.mjs CRONER PROGRAM TABLE: compares PROGRAM (tests/programs/cron_times.cpp) with croner, on the rows of
// TABLE. croner knows W, which cronsim does not.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [croner, program, table] = process.argv.slice(2);
const { Cron } = await import(pathToFileURL(croner).href);

const rows = readFileSync(table, "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split("|"));
const answers = execFileSync(program, { input: rows.map((row) => row.slice(0, 4).join("|") + "\n").join("") })
  .toString()
  .trimEnd()
  .split("\n");

// What croner refuses or means otherwise; see docs/reference/cron.md.
function unsupported(expression, zone) {
  if (expression.startsWith("@every")) return "croner has no @every";
  const fields = expression.split(/\s+/);
  if (fields.some((f) => /(^|,)[0-9A-Za-z]+\//.test(f))) return "croner refuses a/n";
  const weekday = fields.at(-1);
  if (/\*\/7|[0-9]-7\/|(^|,)0-7/.test(weekday)) return "croner ends the week at 6";
  const time = fields.slice(0, -3);
  if (zone !== "UTC" && !time.some((f) => f.includes("*")) && time.some((f) => f.includes("/")))
    return "croner lets a-b/n follow real time";
  if (zone !== "UTC" && !time.some((f) => f.startsWith("*")) && time.some((f) => f.includes("*")))
    return "croner lets a star inside a list follow real time";
  return null;
}

let wrong = 0;
let compared = 0;
const leftOut = {};
rows.forEach(([zone, after, count, expression], i) => {
  const why = unsupported(expression, zone);
  if (why) {
    leftOut[why] = (leftOut[why] ?? 0) + 1;
    return;
  }
  const job = new Cron(expression, { timezone: zone, paused: true, fixedTimeRule: "no-wildcard" });
  const expected = job.nextRuns(Number(count), new Date(Number(after) * 1000)).map((date) => date.getTime() / 1000);
  compared += 1;
  if (expected.join(" ") !== answers[i].trim()) {
    console.log(`${zone}, after ${after}, ${expression}: croner has ${expected.join(" ")}, the library ${answers[i]}`);
    wrong += 1;
  }
});
console.log(`croner: ${compared} rows of the table compared; left out: ${JSON.stringify(leftOut)}`);
process.exit(wrong > 0 || compared === 0 ? 1 : 0);
