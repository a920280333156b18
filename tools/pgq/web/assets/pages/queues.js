import {get, post} from "../api.js";
import {ask, attempt} from "../dialogs.js";
import {h, only, replace, syncRows, table} from "../dom.js";
import {count, number, rate, span} from "../format.js";
import {button, card, empty, link, nameOf, searchOf, when} from "../parts.js";

const r = (c, ...x) => h("td", {class: `r ${c}`}, ...x);

export async function page(app) {
    const may = app.me.may_act ? [{name: "Actions", right: true}] : [];
    const list = table("Entrypoints", [{name: "Entrypoint"}, {name: "Ready", right: true}, {name: "Deferred", right: true, class: "wide"},
        {name: "Blocked", right: true, class: "wide"}, {name: "Leased", right: true}, {name: "Held", right: true},
        {name: "Oldest", right: true}, {name: "In/s", right: true, class: "wide"}, {name: "Out/s", right: true, class: "wide"},
        {name: "Wait p50, p99", right: true, class: "wide"}, {name: "Run p50, p99", right: true, class: "wide"}, ...may]);
    const limits = table("Limits", [{name: "Of"}, {name: "Kind"}, {name: "Used", right: true}, {name: "Allowed", right: true},
        {name: "Per second", right: true, class: "wide"}, {name: "Use", class: "wide"}, ...may]);
    const pauses = h("ul", {class: "list"});
    const pausesCard = card("Paused and draining", pauses);
    const place = h("div"), limitPlace = h("div");

    async function pause(kind, queue, entrypoint) {
        const what = queue ? `${queue}${entrypoint ? `/${entrypoint}` : ""}` : "everything";
        const sure = await ask({title: kind === "paused" ? `Pause ${what}?` : `Drain ${what}?`,
            text: kind === "paused" ? "No job of it starts until you resume it. Jobs that run go on."
                : "No job of it is enqueued until you resume it. What is there runs.",
            fields: [{name: "reason", label: "Why? Programs and people see it", required: true}],
            button: kind === "paused" ? "Pause" : "Drain", danger: !queue});
        if (!sure) return;
        await attempt(() => post("pause", {queue, entrypoint, kind, reason: sure.reason, all: !queue}), `${what} is ${kind}`);
        await app.reload();
    }
    async function resume(queue, entrypoint) {
        await attempt(() => post("resume", {queue, entrypoint, all: !queue}),
            a => a.changed ? "Resumed" : "It was not paused itself: look at the list of pauses");
        await app.reload();
    }
    async function setLimit(l) {
        const isRate = l.kind === "rate";
        const sure = await ask({title: `Limit of ${l.queue}${l.entrypoint ? `/${l.entrypoint}` : ""}`,
            text: isRate ? "Jobs that may start in each period. The next claim obeys."
                : "Jobs that may run at once, of all workers together. 0: no job starts. The next claim obeys.",
            fields: [{name: "amount", label: "Amount", type: "number", min: 0, required: !isRate,
                value: isRate ? "" : String(l.allowed), hint: isRate ? "unchanged" : ""},
            ...(isRate ? [{name: "per", label: "Period, as 1s or 1min", hint: "unchanged"},
                {name: "burst", label: "Starts at once after idle time", type: "number", min: 1, value: String(l.allowed)}] : [])],
            button: "Set"});
        if (!sure) return;
        const body = {queue: l.queue, entrypoint: l.entrypoint, kind: l.kind, number: l.number};
        if (sure.amount !== "") body.amount = Number(sure.amount);
        if (sure.burst) body.burst = Number(sure.burst);
        if (sure.per) body.per = sure.per.trim();
        await attempt(() => post("limit", body), "The limit is changed");
        await app.reload();
    }
    function row(q) {
        const jobs = (state, c) => c.n ? link("jobs", {q: searchOf(q.queue, q.entrypoint, `state:${state}`)}, count(c))
            : h("span", {class: "zero"}, "0");
        return h("tr", null,
            h("td", null, nameOf(q.queue, q.entrypoint), " ", q.paused ? h("span", {class: "tag warn"}, "paused") : null,
                q.draining ? h("span", {class: "tag warn"}, "draining") : null),
            r("", jobs("ready", q.ready)), r("wide", jobs("deferred", q.deferred)), r("wide", jobs("blocked", q.blocked)),
            r("", jobs("leased", q.leased)), r(q.held.n ? "badtext" : "", jobs("held", q.held)),
            r("", q.oldest === null ? "\u2013" : span(q.oldest)), r("wide", rate(q.in)), r("wide", rate(q.out)),
            r("wide", `${span(q.wait.p50)}, ${span(q.wait.p99)}`), r("wide", `${span(q.run.p50)}, ${span(q.run.p99)}`),
            app.me.may_act ? h("td", {class: "buttons"},
                q.paused || q.draining ? button(app, "Resume", () => resume(q.queue, q.entrypoint), "primary",
                    `Resume ${q.queue}/${q.entrypoint}`) : [
                    button(app, "Pause", () => pause("paused", q.queue, q.entrypoint), "", `Pause ${q.queue}/${q.entrypoint}`),
                    button(app, "Drain", () => pause("draining", q.queue, q.entrypoint), "",
                        `Drain ${q.queue}/${q.entrypoint}`)]) : null);
    }
    const limitRow = l => h("tr", null,
        h("td", null, l.entrypoint ? nameOf(l.queue, l.entrypoint) : h("span", {class: "name"}, l.queue, h("span",
            {class: "muted"}, " (whole queue)"))),
        h("td", null, l.kind.replaceAll("_", " "), l.number ? ` ${l.number}` : ""),
        r("", number(Math.round(l.used))), r("", number(l.allowed)), r("wide", l.rate === null ? "\u2013" : rate(l.rate)),
        h("td", {class: "wide"}, h("meter", {min: 0, max: Math.max(1, l.allowed), value: l.used, high: l.allowed * 0.95,
            "aria-label": `Used of the limit of ${l.queue} ${l.entrypoint}`})),
        app.me.may_act ? h("td", {class: "buttons"}, button(app, "Set", () => setLimit(l), "",
            `Set the limit of ${l.queue} ${l.entrypoint}`)) : null);
    const pauseItem = p => h("li", null, h("span", {class: "tag warn"}, p.kind),
        h("strong", null, p.queue ? `${p.queue}${p.entrypoint ? `/${p.entrypoint}` : " (whole queue)"}` : "everything"),
        h("span", {class: "grow"}, p.reason), h("span", {class: "muted"}, when(p.since)),
        button(app, "Resume", () => resume(p.queue, p.entrypoint), "primary",
            `Resume ${p.queue || "everything"} ${p.entrypoint}`));

    let seen = "";
    async function update() {
        const [found, bounds] = await Promise.all([get("queues"), get("limits")]);
        syncRows(list.body, found.queues, q => JSON.stringify([q.queue, q.entrypoint]), row);
        syncRows(limits.body, bounds.limits, l => JSON.stringify([l.queue, l.entrypoint, l.kind, l.number]), limitRow);
        const now = JSON.stringify([found.pauses, found.queues.length > 0, bounds.limits.length > 0]);
        if (now === seen) return;
        seen = now;
        replace(pauses, found.pauses.map(pauseItem));
        pausesCard.hidden = found.pauses.length === 0;
        only(place, found.queues.length ? list.box : empty("There are no queues yet."));
        only(limitPlace, bounds.limits.length ? limits.box : empty("No queue type declares a limit for all workers."));
    }
    await update();
    return {
        title: "Queues",
        node: h("div", {class: "stack"}, h("div", {class: "bar"}, h("h1", null, "Queues and limits"),
            h("div", {class: "right"}, button(app, "Pause everything", () => pause("paused", "", ""), "danger"))),
        pausesCard, card(null, place), card("Limits of all workers together", limitPlace)),
        update,
    };
}
