import {get, post} from "../api.js";
import {ask, attempt} from "../dialogs.js";
import {h, only, syncRows, table} from "../dom.js";
import {number, span} from "../format.js";
import {button, card, empty, when} from "../parts.js";

export async function page(app) {
    const list = table("Workers", [{name: "Worker"}, {name: "State"}, {name: "Running", right: true}, {name: "Heartbeat"},
        {name: "Lease", right: true}, {name: "Started"}, {name: "Version"}, {name: "Serves"},
        ...(app.me.may_act ? [{name: "Actions", right: true}] : [])]);
    const place = h("div"), summary = h("span", {class: "muted"});

    async function forget(w) {
        const sure = await ask({title: `Forget worker ${w.host} pid ${w.pid}?`,
            text: "Its jobs run again, as after a crash.", button: "Forget", danger: true});
        if (!sure) return;
        await attempt(() => post("forget", {worker: w.id}), "The worker is forgotten");
        await app.reload();
    }
    const row = w => h("tr", null,
        h("td", null, h("span", {class: "name"}, w.host), h("span", {class: "muted"}, ` pid ${w.pid}`)),
        h("td", null, h("span", {class: `state ${w.alive ? "s-ready" : "s-held"}`}, w.alive ? "alive" : "dead")),
        h("td", {class: "r"}, number(w.running)),
        h("td", {class: "nowrap"}, when(w.heartbeat_at)),
        h("td", {class: "r"}, span(w.lease_time)),
        h("td", {class: "nowrap"}, when(w.started_at)),
        h("td", null, w.version),
        h("td", {class: "cut"}, w.prefix !== null ? h("span", {class: "muted"}, `all queues ${w.prefix}*: `) : null,
            w.entrypoints.join(", ")),
        app.me.may_act ? h("td", {class: "buttons"}, w.alive ? null : button(app, "Forget", () => forget(w), "danger",
            `Forget worker ${w.host} pid ${w.pid}`)) : null);

    async function update() {
        const {workers} = await get("workers");
        syncRows(list.body, workers, w => w.id, row);
        const alive = workers.filter(w => w.alive).length;
        summary.textContent = `${number(alive)} alive, ${number(workers.length - alive)} dead`;
        only(place, workers.length ? list.box : empty("No worker is registered. Jobs wait until one starts."));
    }
    await update();
    return {title: "Workers", node: h("div", {class: "stack"}, h("div", {class: "bar"}, h("h1", null, "Workers"), summary),
        card(null, place)), update};
}
