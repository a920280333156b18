import {get, post} from "../api.js";
import {ask, attempt} from "../dialogs.js";
import {h, only, syncRows, table} from "../dom.js";
import {button, card, empty, jobLink, nameOf, when} from "../parts.js";

export async function page(app) {
    const list = table("Schedules", [{name: "Schedule"}, {name: "When"}, {name: "Entrypoint"}, {name: "Next"},
        {name: "Last"}, {name: "Job"}, ...(app.me.may_act ? [{name: "Actions", right: true}] : [])]);
    const place = h("div");

    async function change(s, what) {
        const {queue, name} = s;
        let reason = "";
        if (what !== "resume") {
            const sure = await ask({title: what === "fire" ? `Fire ${name} now?` : `Pause ${name}?`,
                text: what === "fire" ? "Its job is enqueued once, beside its times."
                    : "It fires no job until you resume it; what it misses stays missed.",
                fields: what === "pause" ? [{name: "reason", label: "Why? Programs and people see it", required: true}] : [],
                button: what === "fire" ? "Fire" : "Pause"});
            if (!sure) return;
            reason = sure.reason ?? "";
        }
        await attempt(() => post("schedule", {queue, name, change: what, reason}),
            a => what === "fire" ? `Enqueued as job ${a.job}` : what === "pause" ? "Paused" : "Resumed");
        await app.reload();
    }
    const row = s => h("tr", null,
        h("td", null, h("span", {class: "name"}, h("span", {class: "muted"}, `${s.queue}/`), s.name)),
        h("td", {class: "mono nowrap"}, s.expression, " ", h("span", {class: "muted"}, s.zone)),
        h("td", null, nameOf(s.queue, s.entrypoint)),
        h("td", {class: "nowrap"}, s.paused_at !== null ? h("span", null, h("span", {class: "tag warn"}, "paused"), " ",
            s.pause_reason) : when(s.next_at)),
        h("td", {class: "nowrap"}, when(s.fired_at)),
        h("td", null, s.fired_job !== null ? jobLink(s.fired_job) : "\u2013"),
        app.me.may_act ? h("td", {class: "buttons"}, button(app, "Fire", () => change(s, "fire"), "", `Fire ${s.name}`),
            s.paused_at !== null ? button(app, "Resume", () => change(s, "resume"), "primary", `Resume ${s.name}`)
                : button(app, "Pause", () => change(s, "pause"), "", `Pause ${s.name}`)) : null);

    async function update() {
        const {schedules} = await get("schedules");
        syncRows(list.body, schedules, s => `${s.queue}/${s.name}`, row);
        only(place, schedules.length ? list.box : empty("No program has declared a schedule."));
    }
    await update();
    return {title: "Schedules", node: h("div", {class: "stack"}, h("div", {class: "bar"}, h("h1", null, "Schedules")),
        card(null, place)), update};
}
