// Numbers and times for people.

const digits = new Intl.NumberFormat("en", {useGrouping: true});
const clock = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "medium"});

export const number = n => digits.format(n).replaceAll(",", "\u202f");
export const count = c => number(c.n) + (c.capped ? "+" : "");

export function rate(perSecond) {
    if (perSecond === 0) return "0";
    if (perSecond < 0.01) return "<0.01";
    return perSecond < 10 ? perSecond.toFixed(2) : perSecond < 100 ? perSecond.toFixed(1) : number(Math.round(perSecond));
}

export function span(seconds) {
    if (seconds === null || seconds === undefined) return "\u2013";
    if (seconds < 0.001) return "<1 ms";
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 100) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    if (seconds < 129600) return `${(seconds / 3600).toFixed(seconds < 36000 ? 1 : 0)} h`;
    return `${Math.round(seconds / 86400)} d`;
}

export const time = ms => ms === null || ms === undefined ? "\u2013" : clock.format(new Date(ms));

/** "3 min ago", "in 2 h" */
export function ago(ms) {
    if (ms === null || ms === undefined) return "\u2013";
    const seconds = (Date.now() - ms) / 1000;
    if (Math.abs(seconds) < 1) return "now";
    const whole = Math.abs(Math.trunc(seconds)), text = whole < 100 ? `${whole} s` : span(whole);
    return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

export function bytes(n) {
    for (const unit of ["B", "kB", "MB", "GB"]) {
        if (n < 1000) return `${n < 10 && unit !== "B" ? n.toFixed(1) : Math.round(n)} ${unit}`;
        n /= 1000;
    }
    return `${n.toFixed(1)} TB`;
}

export const firstLine = text => text.split("\n", 1)[0];

/** A value of a qualifier, in quotes where it needs them. */
export function quote(value) {
    return value === "" || /[\s"\\]/.test(value) ? `"${value.replace(/[\\"]/g, "\\$&")}"` : value;
}
export const reasonWord = text => `"${text.replace(/[\\"]/g, "\\$&")}"`;

/** JSON text with line breaks. It moves no character of a value: JSON.parse would round large integers. */
export function pretty(text) {
    let out = "", depth = 0, inside = false;
    const line = () => `\n${"  ".repeat(depth)}`;
    for (let i = 0; i < text.length; ++i) {
        const c = text[i];
        if (inside) {
            out += c;
            if (c === "\\") out += text[++i] ?? "";
            else if (c === "\"") inside = false;
        } else if (c === "\"") {
            inside = true;
            out += c;
        } else if (c === "{" || c === "[") {
            const rest = text.slice(i + 1).match(/^\s*([}\]])/);
            if (rest) out += c + rest[1], i += rest[0].length;
            else ++depth, out += c + line();
        } else if (c === "}" || c === "]") {
            --depth;
            out += line() + c;
        } else if (c === ",") out += c + line();
        else if (c === ":") out += ": ";
        else if (!/\s/.test(c)) out += c;
    }
    return out;
}
