// Makes elements. Data of others becomes text, never markup: nothing here or elsewhere sets innerHTML.

const svgTags = new Set(["svg", "path", "g", "rect", "circle", "line"]);

/** h("a", {href: "jobs", class: "x", onclick: f}, "text", child, null) */
export function h(tag, attributes, ...children) {
    const e = svgTags.has(tag)
        ? document.createElementNS("http://www.w3.org/2000/svg", tag)
        : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (value === undefined || value === null || value === false) continue;
        if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
        else if (name === "checked" || name === "value" || name === "indeterminate") e[name] = value;
        else e.setAttribute(name, value === true ? "" : String(value));
    }
    append(e, children);
    return e;
}

function append(e, children) {
    for (const c of children) {
        if (c === undefined || c === null || c === false) continue;
        if (Array.isArray(c)) append(e, c);
        else e.append(c instanceof Node ? c : document.createTextNode(String(c)));
    }
}

export function replace(e, ...children) {
    e.replaceChildren();
    append(e, children);
    return e;
}

/** Puts the node there, alone. One that is there already stays, with the focus in it. */
export function only(place, node) {
    if (place.childNodes.length !== 1 || place.firstChild !== node) place.replaceChildren(node);
}

/** Replaces only the rows that have changed, so that focus, selection and scrolling stay. */
export function syncRows(body, items, keyOf, render) {
    const old = new Map(), placed = new Set();
    for (const row of body.children) old.set(row.dataset.key, row);
    let at = body.firstElementChild;
    for (const item of items) {
        const key = String(keyOf(item));
        const seen = JSON.stringify(item);
        let row = old.get(key);
        old.delete(key);
        if (!row || row.pgqSeen !== seen) {
            const fresh = render(item);
            fresh.dataset.key = key;
            fresh.pgqSeen = seen;
            if (row) {
                const focus = row.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
                if (at === row) at = fresh;
                row.replaceWith(fresh);
                if (focus) fresh.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({preventScroll: true});
            }
            row = fresh;
        }
        if (row !== at) body.insertBefore(row, at);
        else at = at.nextElementSibling;
        placed.add(row);
    }
    for (const row of [...body.children]) if (!placed.has(row)) row.remove();
}

/** A table in a box that scrolls by itself on a narrow screen. columns: {name, title, right, hide} */
export function table(label, columns) {
    const body = h("tbody");
    const head = columns.map(c => c.node
        ? h("th", {scope: "col", class: c.class}, c.node)
        : h("th", {scope: "col", class: [c.right ? "r" : "", c.class ?? ""].join(" ").trim() || null, title: c.title},
            c.name));
    const box = h("div", {class: "scroll", role: "region", "aria-label": label, tabindex: "0"},
        h("table", null, h("thead", null, h("tr", null, head)), body));
    return {box, body};
}

let toastTimer = 0;
export function toast(text, kind = "info") {
    const place = document.getElementById("toasts");
    replace(place, h("div", {class: `toast ${kind}`}, text));
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => place.replaceChildren(), kind === "bad" ? 12000 : 5000);
}

export async function copy(text, element) {
    try {
        await navigator.clipboard.writeText(text);
        toast("Copied");
    } catch {  // no clipboard without TLS: the text is selected, so that the keyboard can copy it
        getSelection().selectAllChildren(element);
        toast("Selected: copy it with the keyboard");
    }
}
