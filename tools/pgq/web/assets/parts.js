// What several pages show.

import {h} from "./dom.js";
import {ago, quote, time} from "./format.js";

export const link = (page, parameters, ...children) => h("a", {href: address(page, parameters)}, ...children);

export function address(page, parameters = {}) {
    const query = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v !== "" && v !== undefined));
    const text = query.toString().replaceAll("%3A", ":");  // readable, and allowed there
    return (page || "./") + (text ? `?${text}` : "");
}

export const state = name => h("span", {class: `state s-${name}`}, name);

/** "3 min ago", with the moment as its title. */
export const when = ms => ms === null || ms === undefined ? "\u2013" : h("time",
    {datetime: new Date(ms).toISOString(), title: time(ms), "data-at": ms}, ago(ms));

/** Ages grow while nothing else changes. */
export function tick() {
    for (const e of document.querySelectorAll("time[data-at]")) {
        const text = ago(Number(e.dataset.at));
        if (e.textContent !== text) e.textContent = text;
    }
}

export const searchOf = (queue, entrypoint, more = "") =>
    `queue:${quote(queue)} entrypoint:${quote(entrypoint)}${more ? ` ${more}` : ""}`;

export const nameOf = (queue, entrypoint, more = "") => h("span", {class: "name"},
    h("span", {class: "muted"}, `${queue}/`), link("jobs", {q: searchOf(queue, entrypoint, more)}, entrypoint));

export const jobLink = id => h("a", {href: address("job", {id}), "data-focus": "job", class: "mono"}, id);

/** A button that is there only for those who may act. */
export function button(app, label, action, kind = "", description = undefined) {
    if (!app.me.may_act) return null;
    return h("button", {type: "button", class: kind, onclick: action, "data-focus": label, "aria-label": description},
        label);
}

export const card = (title, ...children) => h("section", {class: "card"},
    title ? h("h2", null, title) : null, ...children);

export const empty = text => h("p", {class: "empty"}, text);
