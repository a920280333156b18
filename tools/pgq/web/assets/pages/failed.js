import {get} from "../api.js";
import {act} from "../dialogs.js";
import {h, only, syncRows, table} from "../dom.js";
import {count, reasonWord} from "../format.js";
import {button, card, empty, jobLink, link, nameOf, searchOf, when} from "../parts.js";

export async function page(app) {
    const q = app.parameters.get("q") ?? "";
    const list = table("Groups of held jobs", [{name: "Jobs", right: true}, {name: "Entrypoint"}, {name: "Reason"},
        {name: "Latest"}, {name: "Example"}, ...(app.me.may_act ? [{name: "Actions", right: true}] : [])]);
    const place = h("div");
    const selection = g => `${searchOf(g.queue, g.entrypoint, "state:held")} ${reasonWord(g.reason.slice(0, 200))}`.trim();
    const run = async (action, g) => {
        if (await act(action, {group: {lane: g.lane, reason: g.reason}})) await app.reload();
    };
    const row = g => h("tr", null,
        h("td", {class: "r big"}, count(g.count)),
        h("td", null, nameOf(g.queue, g.entrypoint, "state:held"),
            g.version ? h("span", {class: "muted"}, ` version ${g.version}`) : null),
        h("td", {class: "cut"}, h("span", {class: "reason"}, g.reason ? link("jobs", {q: selection(g)}, g.reason) : "no reason")),
        h("td", {class: "nowrap"}, when(g.latest)),
        h("td", null, jobLink(g.example)),
        app.me.may_act ? h("td", {class: "buttons"}, button(app, "Requeue", () => run("requeue", g), "primary",
            `Requeue all of ${g.entrypoint}: ${g.reason.slice(0, 60)}`),
        button(app, "Drop", () => run("drop", g), "danger", `Drop all of ${g.entrypoint}: ${g.reason.slice(0, 60)}`)) : null);

    async function update() {
        const {groups} = await get("failed", {q});
        syncRows(list.body, groups, g => JSON.stringify([g.lane, g.reason]), row);
        only(place, groups.length ? list.box : empty("No job is held. Jobs that fail for good come here."));
    }
    await update();
    return {
        title: "Failed",
        node: h("div", {class: "stack"}, h("div", {class: "bar"}, h("h1", null, "Failed"),
            h("span", {class: "muted"}, "Held jobs, by entrypoint and by the first line of the reason")), card(null, place)),
        update,
    };
}
