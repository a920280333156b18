import {get} from "../api.js";
import {copy, h, replace, syncRows, table} from "../dom.js";
import {bytes, number} from "../format.js";
import {card, empty} from "../parts.js";

export async function page() {
    const facts = h("dl", {class: "facts"}), findings = h("ul", {class: "findings"});
    const tables = table("Tables", [{name: "Table"}, {name: "Size", right: true}, {name: "Dead rows", right: true}]);

    function finding(f) {
        const sql = f.sql ? h("pre", {tabindex: "0", "aria-label": "SQL that repairs it"}, f.sql) : null;
        return h("li", null, h("span", {class: `tag ${f.severity}`}, f.severity), h("span", {class: "tag"}, f.topic),
            h("div", {class: "grow"}, h("div", null, f.what), h("div", {class: "muted"}, f.remedy), sql,
                sql ? h("button", {type: "button", class: "link", onclick: () => copy(f.sql, sql)}, "copy the SQL") : null));
    }
    let seen = "";
    async function update() {
        const s = await get("system");
        syncRows(tables.body, s.tables, t => t.name, t => h("tr", null, h("td", {class: "mono"}, t.name),
            h("td", {class: "r"}, bytes(t.bytes)), h("td", {class: "r"}, number(t.dead))));
        const now = JSON.stringify([s.findings, s.server, s.migration, s.bytes]);
        if (now === seen) return;
        seen = now;
        replace(facts, [["pgq", s.pgq], ["Schema", `${s.schema}, version ${s.migration}`],
            ["Server", `PostgreSQL ${s.server}${s.standby ? ", standby" : ""}`], ["Database", s.database], ["Role", s.role],
            ["Size of the database", bytes(s.bytes)]].map(([k, v]) => [h("dt", null, k), h("dd", null, v)]));
        replace(findings, s.findings.length ? s.findings.map(finding) : h("li", null, empty("Nothing is wrong.")));
    }
    await update();
    return {title: "System", node: h("div", {class: "stack"}, h("h1", null, "System"),
        h("div", {class: "two uneven"}, card("What the doctor finds", findings), card("About", facts)),
        card("Tables", tables.box)), update};
}
