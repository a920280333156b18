import {get} from "../api.js";
import {chart} from "../charts.js";
import {h, replace, syncRows, table} from "../dom.js";
import {count, number, rate, span} from "../format.js";
import {card, empty, jobLink, link, nameOf, when} from "../parts.js";

const windows = [["1h", "1 h"], ["24h", "24 h"], ["7d", "7 d"]];

export async function page(app) {
    const last = app.parameters.get("last") ?? "1h";
    const [first, series] = await Promise.all([get("overview"), get("series", {last})]);

    const tiles = h("div", {class: "tiles"});
    const flow = chart("Jobs per second", [{label: "in", colour: "--c-in"}, {label: "done", colour: "--c-out", fill: true},
        {label: "failed attempts", colour: "--c-bad"}], "rate");
    const times = chart("Time in queue and time to run", [{label: "wait p50", colour: "--c-in"},
        {label: "wait p99", colour: "--c-in", dash: [4, 3]}, {label: "run p50", colour: "--c-out"},
        {label: "run p99", colour: "--c-out", dash: [4, 3]}], "span");
    const note = h("p", {class: "muted small"});
    const lanes = table("Entrypoints", [{name: "Entrypoint"}, {name: "Ready", right: true},
        {name: "Leased", right: true}, {name: "Deferred", right: true, class: "wide"}, {name: "Held", right: true},
        {name: "Oldest", right: true, title: "Time since the enqueue of the oldest ready job"},
        {name: "In/s", right: true, class: "wide", title: "Average of the last 5 minutes"},
        {name: "Out/s", right: true, title: "Average of the last 5 minutes"},
        {name: "Wait p99", right: true, class: "wide"}, {name: "Run p99", right: true, class: "wide"}]);
    const failures = h("ul", {class: "list"});

    function drawSeries(s) {
        flow.set([s.at, s.in, s.out, s.failed]);
        times.set([s.at, s.wait50, s.wait99, s.run50, s.run99]);
        note.textContent = s.complete ? "" : `History is kept for ${s.kept_hours} h, so these are the last ${s.kept_hours} h.`;
    }
    function draw(o) {
        const t = o.totals;
        replace(tiles,
            tile("Ready", count(t.ready), t.oldest === null ? "nothing waits" : `oldest ${span(t.oldest)}`, "state:ready"),
            tile("Leased", count(t.leased), `${rate(t.out)} done per second`, "state:leased"),
            tile("Deferred", count(t.deferred), t.blocked.n ? `${count(t.blocked)} blocked` : "none blocked",
                "state:deferred"),
            tile("Held", count(t.held),
                `${number(t.failed)} failed in 5 min`, "state:held", t.held.n ? "bad" : ""),
            h("a", {class: `tile ${o.workers.alive ? "" : "bad"}`, href: "workers"}, h("span", {class: "label"}, "Workers"),
                h("span", {class: "value"}, number(o.workers.alive)),
                h("span", {class: "sub"}, o.workers.dead ? `${number(o.workers.dead)} dead` : "none dead")),
            h("a", {class: `tile ${t.stopped ? "warn" : ""}`, href: "queues"}, h("span", {class: "label"}, "Entrypoints"),
                h("span", {class: "value"}, number(t.entrypoints)),
                h("span", {class: "sub"}, t.stopped ? `${number(t.stopped)} paused or draining` : "none paused")));
        syncRows(lanes.body, o.busiest, q => JSON.stringify([q.queue, q.entrypoint]), laneRow);
        if (o.failures.length === 0) replace(failures, h("li", {class: "empty"}, "No failed attempts."));
        else replace(failures, o.failures.map(f => h("li", null, jobLink(f.id), h("span", {class: "muted"}, f.entrypoint),
            h("span", {class: "reason grow"}, f.reason), h("span", {class: "muted nowrap"}, when(f.at)))));
    }
    const timer = setInterval(async () => {
        if (!document.hidden) try { drawSeries(await get("series", {last})); } catch { /* the next one */ }
    }, last === "1h" ? 15000 : 60000);

    draw(first);
    return {
        title: "Overview",
        node: h("div", {class: "stack"},
            h("h1", {class: "sr"}, "Overview"),
            tiles,
            h("div", {class: "bar"}, h("h2", null, "History"),
                h("div", {class: "tabs", role: "group", "aria-label": "Time of the charts"},
                    windows.map(([value, label]) => h("a", {href: value === "1h" ? "./" : `./?last=${value}`,
                        "aria-current": value === last ? "true" : null}, label))), note),
            h("div", {class: "two"}, flow.figure, times.figure),
            card("Entrypoints with the most to look at", first.busiest.length ? lanes.box
                : empty("There are no queues yet. They come with the first job, or the first worker.")),
            card("Latest failed attempts", failures)),
        shown() { drawSeries(series); },
        async update(sample) { draw(sample ?? await get("overview")); },
        close() { clearInterval(timer); flow.close(); times.close(); },
    };
}

function tile(label, value, sub, q, kind = "") {
    return h("a", {class: `tile ${kind}`, href: `jobs?q=${encodeURIComponent(q)}`}, h("span", {class: "label"}, label),
        h("span", {class: "value"}, value), h("span", {class: "sub"}, sub));
}

function laneRow(q) {
    const jobs = (state, c) => c.n ? link("jobs", {q: `queue:${q.queue} entrypoint:${q.entrypoint} state:${state}`}, count(c))
        : h("span", {class: "zero"}, "0");
    return h("tr", null,
        h("td", null, nameOf(q.queue, q.entrypoint), " ", q.paused ? h("span", {class: "tag warn"}, "paused") : null,
            q.draining ? h("span", {class: "tag warn"}, "draining") : null),
        h("td", {class: "r"}, jobs("ready", q.ready)),
        h("td", {class: "r"}, jobs("leased", q.leased)),
        h("td", {class: "r wide"}, jobs("deferred", q.deferred)),
        h("td", {class: `r ${q.held.n ? "badtext" : ""}`}, jobs("held", q.held)),
        h("td", {class: "r"}, q.oldest === null ? "\u2013" : span(q.oldest)),
        h("td", {class: "r wide"}, rate(q.in)),
        h("td", {class: "r"}, rate(q.out)),
        h("td", {class: "r wide"}, span(q.wait.p99)),
        h("td", {class: "r wide"}, span(q.run.p99)));
}
