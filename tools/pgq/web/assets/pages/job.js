import {get} from "../api.js";
import {act, words} from "../dialogs.js";
import {copy, h, replace} from "../dom.js";
import {bytes, pretty, quote, span, time} from "../format.js";
import {address, button, card, empty, jobLink, nameOf, state, when} from "../parts.js";

const actionsOf = {ready: ["cancel", "move"], deferred: ["run-now", "cancel", "move"], blocked: ["cancel"],
    leased: ["cancel"], held: ["requeue", "drop", "move"], ended: []};
const ends = {d: "done", x: "discarded", c: "cancelled", h: "held", e: "expired", "?": "unknown"};

export async function page(app) {
    const id = app.parameters.get("id") ?? "";
    const node = h("div", {class: "stack"});
    let seen = "";

    async function update() {
        let job = null;
        try {
            job = await get(`job/${encodeURIComponent(id)}`);
        } catch (e) {
            if (e.status !== 404) throw e;
        }
        const now = JSON.stringify(job);
        if (now === seen) return;
        seen = now;
        if (job === null) replace(node, h("h1", null, `Job ${id}`),
            card(null, empty("There is no such job. It has ended and its end was not kept, or it never existed.")));
        else replace(node, draw(job, app, update));
    }
    await update();
    const timer = setInterval(() => { if (!document.hidden) update().catch(() => {}); }, 2000);
    return {title: `Job ${id}`, node, update, close() { clearInterval(timer); }};
}

function draw(j, app, update) {
    const run = async action => { if (await act(action, {ids: [j.id]})) await update(); };
    return [
        h("div", {class: "bar"},
            h("h1", null, "Job ", h("span", {class: "mono"}, j.id)), state(j.state),
            nameOf(j.queue ?? "", j.entrypoint ?? ""),
            h("div", {class: "right"}, (actionsOf[j.state] ?? []).map(a =>
                button(app, words[a].title, () => run(a), words[a].danger ? "danger" : a === "requeue" ? "primary" : "")))),
        h("div", {class: "two uneven"},
            h("div", {class: "stack"}, card("Payload", payload(j.payload)), card("Attempts", attempts(j)), flow(j)),
            card("Facts", facts(j)))];
}

function payload(p) {
    if (!p) return empty("The payload is deleted with the end of a job.");
    if (p.kind === "encrypted" || p.kind === "compressed") return empty(`${bytes(p.bytes)}, ${p.kind}. It is not shown here.`);
    if (p.kind === "hidden") return empty("This role may not read payloads.");
    const text = p.kind === "json" ? pretty(p.text) : p.kind === "hex" ? p.text.replace(/(.{2})/g, "$1 ").trim() : p.text;
    const shown = h("pre", {tabindex: "0", "aria-label": "Payload", class: p.kind === "hex" ? "hex" : null}, text);
    return h("div", null, shown, h("p", {class: "muted small bar"}, `${bytes(p.bytes)}${p.kind === "hex" ? ", no JSON" : ""}`,
        p.cut ? ", only its beginning" : "",
        h("button", {type: "button", class: "link", onclick: () => copy(text, shown)}, "copy")));
}

function attempts(j) {
    if (j.failures.length === 0) return empty(j.attempts ? "No failed attempt is kept." : "It has not run yet.");
    return h("ol", {class: "timeline"}, j.failures.map(f => h("li", null,
        h("div", {class: "bar"}, h("strong", null, `Attempt ${f.attempt}`), h("span", {class: "badtext"}, "failed"),
            h("span", {class: "muted"}, when(f.at))),
        h("pre", {class: "reason", tabindex: "0", "aria-label": `Reason of attempt ${f.attempt}`}, f.reason))));
}

/** Parents, this job, children. */
function flow(j) {
    if (j.parents.length === 0 && j.children.length === 0) return null;
    const boxes = ids => h("div", {class: "flow-column"}, ids.length ? ids.map(id => h("a", {class: "flow-box mono",
        href: address("job", {id})}, id)) : h("span", {class: "muted"}, "none"));
    return card("Waits for, and lets wait", h("div", {class: "flow"},
        h("div", null, h("h3", null, "It waits for"), boxes(j.parents)),
        h("span", {class: "arrow", "aria-hidden": "true"}, "\u2192"),
        h("div", null, h("h3", null, "This job"), h("div", {class: "flow-column"},
            h("span", {class: "flow-box self mono"}, j.id))),
        h("span", {class: "arrow", "aria-hidden": "true"}, "\u2192"),
        h("div", null, h("h3", null, "These wait for it"), boxes(j.children))));
}

function facts(j) {
    const all = [["State", j.end ? `ended: ${ends[j.end] ?? j.end}` : state(j.state)],
        ["Reason", j.reason ? h("span", {class: "reason"}, j.reason) : null],
        ["Attempts", j.attempts], ["Priority", j.priority],
        ["Enqueued", j.enqueued_at ? [time(j.enqueued_at), " (", when(j.enqueued_at), ")"] : null],
        ["Runs", j.run_at ? [time(j.run_at), " (", when(j.run_at), ")"] : null],
        ["Waits for", j.blocked_by ? `${j.blocked_by} jobs` : null],
        ["Worker", j.holder ? `${j.holder.host || "a dead worker"} pid ${j.holder.pid}` : null],
        ["Claimed", j.holder ? when(j.holder.since) : null],
        ["Waited", j.holder && j.enqueued_at ? span((j.holder.since - j.enqueued_at) / 1000) : null],
        ["Version", j.version || null], ["Limit key", j.key],
        ...j.headers.map(x => [x.name, h("a", {href: address("jobs", {q: `header:${quote(`${x.name}=${x.value}`)}`})}, x.value)])];
    return h("dl", {class: "facts"}, all.filter(([, v]) => v !== null && v !== undefined)
        .map(([k, v]) => [h("dt", null, k), h("dd", null, v)]));
}
