// Questions before something is changed.

import {h, toast} from "./dom.js";
import {get, post} from "./api.js";
import {number} from "./format.js";

/** fields: [{name, label, value, required, type, hint}]. Resolves to the values, or null. */
export function ask({title, text, fields = [], button, danger}) {
    return new Promise(resolve => {
        const inputs = fields.map(f => h("input", {id: `ask-${f.name}`, name: f.name, value: f.value ?? "",
            type: f.type ?? "text", required: f.required, min: f.min, autocomplete: "off", placeholder: f.hint}));
        const dialog = h("dialog", {"aria-labelledby": "ask-title"},
            h("form", {method: "dialog", onsubmit: () => {
                const values = Object.fromEntries(inputs.map(i => [i.name, i.value]));
                dialog.returnValue = "ok";
                resolve(values);
            }},
                h("h2", {id: "ask-title"}, title),
                text ? h("p", null, text) : null,
                fields.map((f, i) => h("label", {for: `ask-${f.name}`}, f.label, inputs[i])),
                h("div", {class: "buttons"},
                    h("button", {type: "button", onclick: () => dialog.close()}, "Go back"),
                    h("button", {type: "submit", class: danger ? "danger" : "primary"}, button))));
        dialog.addEventListener("close", () => { dialog.remove(); resolve(null); });
        document.body.append(dialog);
        dialog.showModal();
        (inputs[0] ?? dialog.querySelector("button[type=submit]")).focus();
    });
}

/** Does it, says so, and says why if it fails. */
export async function attempt(what, done) {
    try {
        const answer = await what();
        toast(typeof done === "function" ? done(answer) : done, "good");
        return answer;
    } catch (e) {
        toast(e.message, "bad");
        return null;
    }
}

export const words = {
    cancel: {title: "Cancel", done: "cancelled", text: "Jobs that wait are deleted. Jobs that run are asked to stop.",
        danger: true, from: "in any state"},
    requeue: {title: "Requeue", done: "requeued", text: "Held jobs become ready, with no attempts counted.",
        from: "that are held"},
    "run-now": {title: "Run now", done: "made ready", text: "Deferred jobs become ready. They keep their order.",
        from: "that are deferred"},
    drop: {title: "Drop", done: "dropped", text: "Held jobs are deleted.", danger: true, from: "that are held"},
    move: {title: "Move", done: "moved", text: "Jobs go to another entrypoint. Its workers must be able to read them.",
        from: "that do not run"},
};

/** which: {ids: [...]} or {q: "..."}. Asks with the count first. Resolves to true if something may have changed. */
export async function act(action, which) {
    const word = words[action];
    const body = {action, ...which};
    if (which.q === "") body.all = true;
    const target = action === "move" ? {to_queue: "?", to_entrypoint: "?"} : {};
    let n;
    try {
        const found = await post("act", {...body, ...target, preview: true});
        n = number(found.count) + (found.capped ? "+" : "");
        if (found.count === 0) { toast(`No job ${word.from} matches`); return false; }
    } catch (e) {
        toast(e.message, "bad");
        return false;
    }
    const jobs = n === "1" ? "1 job" : `${n} jobs`;
    const fields = action !== "move" ? [] : [
        {name: "to_queue", label: "To the queue", required: true},
        {name: "to_entrypoint", label: "To the entrypoint", required: true}];
    const sure = await ask({title: `${word.title} ${jobs}?`, text: word.text, fields,
        button: `${word.title} ${jobs}`, danger: word.danger});
    if (!sure) return false;
    const answer = await attempt(() => post("act", {...body, ...sure}),
        a => a.operation ? `${word.title}: begun` : told(word, a));
    if (answer?.operation) await follow(answer.operation, word);
    return answer !== null;
}

const told = (word, a) => `${number(a.done)} ${a.done === 1 ? "job" : "jobs"} ${word.done}`
    + (a.stopping ? `, ${number(a.stopping)} of them asked to stop` : "")
    + (a.skipped ? `; ${number(a.skipped)} had changed and were skipped` : "");

/** Shows how far an action on all that match is, and stops it if the user says so. */
async function follow(operation, word) {
    const text = h("p", {role: "status"}, "0 jobs so far");
    const stop = h("button", {type: "button", onclick: () => post("stop", {operation})}, "Stop");
    const dialog = h("dialog", {"aria-labelledby": "follow-title"},
        h("h2", {id: "follow-title"}, `${word.title}: working`), text, h("div", {class: "buttons"}, stop));
    dialog.addEventListener("cancel", e => e.preventDefault());
    const later = setTimeout(() => { document.body.append(dialog); dialog.showModal(); }, 400);
    for (;;) {
        let now;
        try { now = await get("operation", {id: operation}); } catch (e) { toast(e.message, "bad"); break; }
        text.textContent = `${number(now.done)} jobs so far`;
        if (now.finished) {
            if (now.failed) toast(`${told(word, now)}, then: ${now.error.message}`, "bad");
            else toast(told(word, now) + (now.stopped ? "; stopped" : ""), "good");
            break;
        }
        await new Promise(r => setTimeout(r, 300));
    }
    clearTimeout(later);
    if (dialog.open) dialog.close();
    dialog.remove();
}
