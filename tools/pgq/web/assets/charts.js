// uPlot with the colours of the page.

import {h} from "./dom.js";
import {rate, span} from "./format.js";

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const all = new Set();

/** lines: [{label, colour: "--c-in"}]; unit: "rate" or "span" */
export function chart(title, lines, unit) {
    const show = unit === "rate" ? v => v === null ? "\u2013" : `${rate(v)}/s` : v => span(v);
    const box = h("div", {class: "plot"});
    const figure = h("figure", {class: "card chart"}, h("figcaption", null, title), box);
    let plot = null, data = null;

    function make() {
        plot?.destroy();
        const axis = {stroke: colour("--muted"), grid: {stroke: colour("--line"), width: 1}, ticks: {show: false},
            font: "11px system-ui, sans-serif"};
        plot = new uPlot({
            width: Math.max(200, box.clientWidth), height: 150, padding: [8, 22, 0, 0],
            cursor: {y: false, points: {size: 5}}, legend: {live: true},
            scales: {y: {range: (u, low, high) => [0, high > 0 ? high * 1.1 : 1]}},
            axes: [{...axis, space: 60}, {...axis, size: 58, space: 30, values: (u, ticks) => ticks.map(t =>
                unit === "rate" ? rate(t) : t === 0 ? "0" : span(t))}],
            series: [{label: "", value: (u, v) => v === null ? "" : new Date(v * 1000).toLocaleTimeString(undefined,
                {hour: "2-digit", minute: "2-digit"})},
                ...lines.map(l => ({label: l.label, stroke: colour(l.colour), width: 1.5, dash: l.dash, spanGaps: false,
                    fill: l.fill ? `${colour(l.colour)}22` : undefined, points: {show: false},
                    value: (u, v) => show(v)}))],
        }, data, box);
        box.querySelectorAll(".u-legend th").forEach(th => th.removeAttribute("tabindex"));
    }
    const observer = new ResizeObserver(() => plot?.setSize({width: Math.max(200, box.clientWidth), height: 150}));
    observer.observe(box);
    const self = {
        figure,
        set(next) {
            data = next;
            if (plot) plot.setData(data);
            else make();
        },
        repaint() { if (data) make(); },
        close() { observer.disconnect(); plot?.destroy(); all.delete(self); },
    };
    all.add(self);
    return self;
}

/** The colours have changed. */
export function repaint() { for (const c of all) c.repaint(); }
