// Live updates: one stream of events while the page is visible and not paused. Without a stream it asks now and then.

const listeners = new Set();
let source = null, poll = 0, paused = false, state = "connecting", trouble = "";

/** f(sample | null): something may have changed. */
export function listen(f) {
    listeners.add(f);
    return () => listeners.delete(f);
}

let report = () => {};
export function onState(f) { report = f; f(); }
export const status = () => ({state: paused ? "paused" : state, trouble});

function set(next, message = "") {
    state = next;
    trouble = message;
    report();
}
function tell(sample) { for (const f of [...listeners]) f(sample); }

function open() {
    if (source || paused || document.hidden) return;
    source = new EventSource("api/events");
    source.addEventListener("open", () => set("live"));
    source.addEventListener("sample", e => { set("live"); tell(JSON.parse(e.data)); });
    source.addEventListener("trouble", e => set("trouble", JSON.parse(e.data).error?.message ?? "the database fails"));
    source.addEventListener("error", () => {
        if (source.readyState === EventSource.CLOSED) close();
        set("polling", "");
    });
    poll = setInterval(() => {
        tell(null);
        if (!source) { clearInterval(poll); open(); }
    }, 5000);
}
function close() {
    source?.close();
    source = null;
}
function stop() {
    close();
    clearInterval(poll);
}

export function toggle() {
    paused = !paused;
    if (paused) stop();
    else { open(); tell(null); }
    report();
}

export function start() {
    document.addEventListener("visibilitychange", () => document.hidden ? stop() : (open(), paused || tell(null)));
    addEventListener("pagehide", stop);
    open();
}
