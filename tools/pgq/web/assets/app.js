// The frame of all pages: navigation, search, live switch, theme, keys. Each page is a module in pages/.

import {get} from "./api.js";
import {repaint} from "./charts.js";
import {h, replace, toast} from "./dom.js";
import * as live from "./live.js";
import {address, tick} from "./parts.js";

const pages = [["", "Overview", "overview"], ["jobs", "Jobs", "jobs"], ["failed", "Failed", "failed"],
    ["queues", "Queues", "queues"], ["workers", "Workers", "workers"], ["schedules", "Schedules", "schedules"],
    ["system", "System", "system"]];

const app = {me: {may_act: false, reason: "", schema: "", version: ""}, parameters: new URLSearchParams(), go, reload};
let page = null, turn = 0;

const main = document.getElementById("main");
const search = h("input", {id: "search", type: "search", name: "q", "aria-label": "Search jobs", autocomplete: "off",
    spellcheck: "false", placeholder: "Search jobs: queue:mail state:held \u2026"});
const liveButton = h("button", {type: "button", id: "live", onclick: live.toggle});
const themeButton = h("button", {type: "button", id: "theme", onclick: nextTheme, class: "quiet"});
const nav = h("nav", {"aria-label": "Pages"}, pages.map(([path, title]) =>
    h("a", {href: address(path), "data-page": path || "overview"}, title)));

function frame() {
    replace(document.getElementById("top"),
        h("a", {class: "brand", href: "./"}, "pgq", h("span", {id: "schema", class: "muted"})),
        nav,
        h("form", {role: "search", onsubmit: e => { e.preventDefault(); go(address("jobs", {q: search.value.trim()})); }},
            search, h("kbd", {"aria-hidden": "true"}, "/")),
        h("div", {class: "tools"}, liveButton, themeButton));
    live.onState(() => {
        const {state, trouble} = live.status();
        const text = {live: "Live", paused: "Paused", polling: "Polling", trouble: "Trouble", connecting: "\u2026"}[state];
        replace(liveButton, h("span", {class: `dot ${state}`}), text);
        liveButton.title = state === "paused" ? "Go on with live updates (p)" : trouble || "Pause live updates (p)";
        liveButton.setAttribute("aria-pressed", String(state === "paused"));
    });
    showTheme();
}

// Addresses: the last part of the path is the page, the rest belongs to a proxy.
const pageOf = url => url.pathname.slice(url.pathname.lastIndexOf("/") + 1);

export function go(to, {replaceEntry = false} = {}) {
    history[replaceEntry ? "replaceState" : "pushState"](null, "", to);
    return show(true);
}

async function show(moves) {
    const mine = ++turn;
    const url = new URL(location.href);
    const path = pageOf(url);
    const name = path === "job" ? "job" : pages.find(p => p[0] === path)?.[2] ?? "overview";
    app.parameters = url.searchParams;
    search.value = name === "jobs" ? url.searchParams.get("q") ?? "" : "";
    for (const a of nav.children) {
        if (a.dataset.page === (name === "job" ? "jobs" : name)) a.setAttribute("aria-current", "page");
        else a.removeAttribute("aria-current");
    }
    let next;
    try {
        const module = await import(`./pages/${name}.js`);
        next = await module.page(app);
    } catch (e) {
        next = {title: "Error", node: failure(e)};
    }
    if (mine !== turn) return next.close?.();
    page?.close?.();
    page = next;
    document.title = `${next.title} \u00b7 pgq`;
    replace(main, app.me.reason ? h("p", {class: "notice", id: "read-only"}, `Read-only: ${app.me.reason}.`) : null,
        next.node);
    next.shown?.();
    if (moves) { scrollTo(0, 0); main.focus({preventScroll: true}); }
}

const failure = e => h("div", {class: "notice bad", role: "alert"}, h("strong", null, "This page cannot be shown. "),
    e.message);

/** Reads the data of the page again. */
let loading = false, again = false;
async function reload(sample = null) {
    if (loading) { again = true; return; }
    loading = true;
    try {
        await page?.update?.(sample);
        document.getElementById("stale")?.remove();
    } catch (e) {
        if (!document.getElementById("stale"))
            main.prepend(h("p", {class: "notice bad", id: "stale", role: "alert"}, `Not up to date: ${e.message}`));
    }
    loading = false;
    if (again) { again = false; reload(); }
}

// Theme: as the system says, until the user chooses.
function theme() {
    return document.documentElement.dataset.theme
        ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}
function showTheme() {
    const dark = theme() === "dark";
    themeButton.textContent = dark ? "Light" : "Dark";
    themeButton.setAttribute("aria-label", `Switch to ${dark ? "light" : "dark"} colours`);
}
function nextTheme() {
    const next = theme() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try { localStorage.setItem("pgq.theme", next); } catch { /* storage may be forbidden */ }
    showTheme();
    repaint();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { showTheme(); repaint(); });

function help() {
    const keys = [["/", "search"], ["j, k", "next and previous row"], ["Enter", "open the row"], ["x", "select the row"],
        ["p", "pause live updates"], ["?", "this list"]];
    const dialog = h("dialog", {"aria-labelledby": "help-title"}, h("h2", {id: "help-title"}, "Keys"),
        h("dl", {class: "facts"}, keys.map(([k, what]) => [h("dt", null, h("kbd", null, k)), h("dd", null, what)])),
        h("div", {class: "buttons"}, h("button", {type: "button", onclick: () => dialog.close()}, "Close")));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
}

function moveRow(by) {
    const rows = [...main.querySelectorAll("tbody tr")].filter(r => r.querySelector("a"));
    if (rows.length === 0) return;
    const at = rows.findIndex(r => r.contains(document.activeElement));
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by))];
    const target = next.querySelector("a");
    target.focus();
    next.scrollIntoView({block: "nearest"});
}

addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
    if (e.target.matches("input, textarea, select")) {
        if (e.key === "Escape" && e.target === search) search.blur();
        return;
    }
    if (e.key === "/") search.focus(), search.select();
    else if (e.key === "j" || e.key === "k") moveRow(e.key === "j" ? 1 : -1);
    else if (e.key === "x") document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.click();
    else if (e.key === "p") live.toggle();
    else if (e.key === "?") help();
    else return;
    e.preventDefault();
});

document.addEventListener("click", e => {
    const a = e.target.closest?.("a[href]");
    if (!a || e.defaultPrevented || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || a.target) return;
    const to = new URL(a.href);
    if (to.origin !== location.origin || a.getAttribute("href").startsWith("#") || a.hasAttribute("download")) return;
    e.preventDefault();
    go(a.href);
});
addEventListener("popstate", () => show(true));

frame();
try {
    app.me = await get("me");
    document.getElementById("schema").textContent = app.me.schema;
} catch (e) {
    toast(e.message, "bad");
}
await show(false);
live.listen(sample => reload(sample));
live.start();
setInterval(tick, 1000);
