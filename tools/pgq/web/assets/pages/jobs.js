import {get} from "../api.js";
import {act, words} from "../dialogs.js";
import {h, only, replace, syncRows, table} from "../dom.js";
import {firstLine, number, quote} from "../format.js";
import {address, button, card, empty, jobLink, nameOf, state, when} from "../parts.js";

const states = ["ready", "deferred", "blocked", "leased", "held"];

export async function page(app) {
    const q = app.parameters.get("q") ?? "", after = app.parameters.get("after") ?? "";
    let found = await get("jobs", {q, after});
    const chosen = new Set();
    let all = false;  // all that match, on other pages, too
    let drawn = "";

    const everything = h("input", {type: "checkbox", "aria-label": "Select all jobs on this page",
        onchange: () => { found.jobs.forEach(j => everything.checked ? chosen.add(j.id) : chosen.delete(j.id)); all = false; draw(); }});
    const columns = [{name: "Id"}, {name: "Entrypoint"}, {name: "State"},
        {name: "Tries", right: true, class: "wide", title: "Attempts, this delivery included"}, {name: "Enqueued", class: "wide"},
        {name: "Next or since", class: "wide", title: "When a deferred job becomes ready; since when a job is in its state"},
        {name: "Reason and headers"}];
    if (app.me.may_act) columns.unshift({node: everything, class: "check"});
    const list = table("Jobs", columns);
    const bar = h("div", {class: "actions", role: "region", "aria-label": "Actions"});
    const place = h("div");
    const pager = h("div", {class: "bar"});

    function row(j) {
        const box = h("input", {type: "checkbox", "aria-label": `Select job ${j.id}`, "data-focus": "check",
            checked: all || chosen.has(j.id), onchange: e => {
                if (all) { all = false; found.jobs.forEach(x => chosen.add(x.id)); }
                if (e.target.checked) chosen.add(j.id);
                else chosen.delete(j.id);
                draw();
            }});
        return h("tr", {class: all || chosen.has(j.id) ? "chosen" : null},
            app.me.may_act ? h("td", {class: "check"}, box) : null,
            h("td", null, jobLink(j.id)),
            h("td", null, nameOf(j.queue ?? "?", j.entrypoint ?? "?")),
            h("td", null, state(j.state)),
            h("td", {class: "r wide"}, j.attempts),
            h("td", {class: "nowrap wide"}, when(j.enqueued_at)),
            h("td", {class: "nowrap wide"}, j.run_at !== null ? when(j.run_at) : when(j.since)),
            h("td", {class: "cut"}, j.reason ? h("span", {class: "reason"}, firstLine(j.reason)) : null,
                j.headers.map(x => h("a", {class: "tag", href: address("jobs", {q: `header:${quote(`${x.name}=${x.value}`)}`})},
                    `${x.name}=${x.value}`))));
    }
    function draw() {
        for (const id of [...chosen]) if (!found.jobs.some(j => j.id === id)) chosen.delete(id);
        syncRows(list.body, found.jobs.map(j => ({...j, chosen: all || chosen.has(j.id)})), j => j.id, row);
        everything.checked = found.jobs.length > 0 && (all || chosen.size === found.jobs.length);
        everything.indeterminate = !all && chosen.size > 0 && chosen.size < found.jobs.length;
        const now = JSON.stringify([all, chosen.size, found.jobs.length, found.next]);
        if (now === drawn) return;  // so that the focus stays on a button
        drawn = now;
        drawBar();
        only(place, found.jobs.length ? list.box
            : empty(found.next ? "No job on this page matches. There may be more behind it." : "No job matches."));
        replace(pager,
            after ? h("a", {class: "button", href: address("jobs", {q})}, "First page") : null,
            h("span", {class: "muted"}, found.jobs.length ? `${number(found.jobs.length)} jobs, in the order of their ids` : ""),
            found.next ? h("a", {class: "button", rel: "next", href: address("jobs", {q, after: found.next})}, "Next page")
                : null);
    }
    function drawBar() {
        if (!app.me.may_act) return;
        if (!all && chosen.size === 0) {
            replace(bar, found.jobs.length ? h("span", {class: "muted"}, "Select jobs to act on them, or ") : null,
                found.jobs.length ? h("button", {type: "button", class: "link", "data-focus": "all",
                    onclick: () => { all = true; draw(); }}, "select all that match") : null);
            return;
        }
        const run = async action => {
            const changed = await act(action, all ? {q} : {ids: [...chosen]});
            if (!changed) return;
            chosen.clear();
            all = false;
            await app.reload();
        };
        replace(bar, h("strong", null, all ? "All that match" : `${number(chosen.size)} selected`),
            Object.entries(words).map(([action, word]) => button(app, word.title, () => run(action), word.danger ? "danger" : "")),
            all ? null : h("button", {type: "button", class: "link", onclick: () => { all = true; draw(); }},
                "select all that match"),
            h("button", {type: "button", class: "link", onclick: () => { all = false; chosen.clear(); draw(); }}, "clear"));
    }
    draw();
    return {
        title: q ? `Jobs: ${q}` : "Jobs",
        node: h("div", {class: "stack"},
            h("div", {class: "bar"}, h("h1", null, "Jobs"),
                h("div", {class: "tabs", role: "group", "aria-label": "State"},
                    [null, ...states].map(s => h("a", {href: address("jobs", {q: withState(q, s)}),
                        "aria-current": stateOf(q) === s ? "true" : null}, s ?? "all")))),
            card(null, bar, place, pager),
            h("p", {class: "muted small"}, "Search with queue:, entrypoint:, state:held,ready, header:NAME=VALUE, id:, newer:1h, "
                + "older:1h; other words are looked for in reasons. The address of this page can be shared.")),
        async update() { found = await get("jobs", {q, after}); draw(); },
    };
}

const stateOf = q => q.match(/(?:^|\s)state:(\S+)/)?.[1] ?? null;
function withState(q, s) {
    const rest = q.replace(/(^|\s)state:\S+/g, " ").trim().replace(/\s+/g, " ");
    return s ? `${rest} state:${s}`.trim() : rest;
}
