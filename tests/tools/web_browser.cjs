// web_browser.cjs CHROMIUM ADDRESS DSN: every page and every action of `pgq web`, as a person does it.

const {execFileSync} = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const {chromium} = require("playwright-core");

const [, , executable, address, dsn] = process.argv;
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const sql = text => execFileSync("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", dsn, "-c", text],
    {encoding: "utf8"}).trim();

function fail(text) { throw new Error(`FAILED: ${text}`); }
function expect(what, found, wanted) {
    if (JSON.stringify(found) !== JSON.stringify(wanted))
        fail(`${what}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}
async function until(what, condition, ms = 10000) {
    const begun = Date.now();
    for (;;) {
        if (await condition()) return Date.now() - begun;
        if (Date.now() - begun > ms) fail(`after ${ms} ms still no: ${what}`);
        await new Promise(r => setTimeout(r, 25));
    }
}

const pages = ["", "?last=24h", "?last=7d", "jobs", "jobs?q=state:held", "job?id=900001", "job?id=900002", "job?id=900003",
    "job?id=900010", "job?id=77777777", "failed", "queues", "workers", "schedules", "system"];
const complaints = [];

async function open(browser, options) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on("console", m => { if (m.type() === "error" || m.type() === "warning") complaints.push(`${page.url()}: ${m.text()}`); });
    page.on("pageerror", e => complaints.push(`${page.url()}: ${e.message}`));
    page.on("request", r => {
        if (!/^(data:|http:\/\/127\.0\.0\.1:)/.test(r.url())) complaints.push(`a request to ${r.url()}`);
    });
    await page.addInitScript(() => addEventListener("securitypolicyviolation",
        e => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`)));
    return page;
}
const go = async (page, path) => {
    await page.goto(address + path);
    await page.waitForSelector("main h1");
    await page.waitForSelector("#live .dot.live");
};

async function checkLooks(browser) {
    for (const [name, options] of [["light", {viewport: {width: 1280, height: 800}, colorScheme: "light"}],
        ["dark", {viewport: {width: 1280, height: 800}, colorScheme: "dark"}],
        ["phone", {viewport: {width: 390, height: 844}, colorScheme: "light", isMobile: true, hasTouch: true}]]) {
        const page = await open(browser, options);
        for (const path of pages) {
            // The browser itself complains about the 404 of the unknown job.
            const before = complaints.length;
            await go(page, path);
            if (path === "job?id=77777777") complaints.splice(before);
            await page.evaluate(axe);
            const found = await page.evaluate(() => axe.run(document, {resultTypes: ["violations"]}));
            const serious = found.violations.filter(v => v.impact === "serious" || v.impact === "critical");
            expect(`axe on ${path || "overview"}, ${name}`,
                serious.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => `${n.html.slice(0, 120)} ${n.failureSummary}`)}`), []);
            const width = await page.evaluate(() => document.documentElement.scrollWidth);
            if (width > options.viewport.width) fail(`${path}, ${name}: the page is ${width} wide`);
            expect(`scripts of data on ${path}`, await page.evaluate(() => window.pwned ?? null), null);
        }
        const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const brightness = background.match(/\d+/g).map(Number).reduce((a, b) => a + b) / 3;
        if (name === "dark" ? brightness > 60 : brightness < 200) fail(`the background of ${name} is ${background}`);
        await page.context().close();
    }
}

async function checkTheme(page) {
    await go(page, "");
    const dark = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    expect("the scheme of the system", await dark(), "light");
    await page.click("#theme");
    expect("after the switch", await dark(), "dark");
    await go(page, "jobs");
    expect("on the next page", await dark(), "dark");
    await page.click("#theme");
    expect("back", await dark(), "light");
}

const tile = (page, label) => page.locator(".tile", {hasText: label}).locator(".value").innerText();

async function checkLive(page) {
    await go(page, "");
    const held = Number(await tile(page, "Held"));
    const add = id => sql(`INSERT INTO pgq_jobs.deferred (run_at, id, rank, lane, attempts, kind, reason, body)
        VALUES ('infinity', ${id}, -1, 6, 1, 'h', 'live', '{}')`);
    add(910001);
    const took = await until("a live change", async () => Number(await tile(page, "Held")) === held + 1, 2000);
    if (took > 2000) fail(`a change took ${took} ms`);

    await page.keyboard.press("p");
    await page.waitForSelector("#live .dot.paused");
    let requests = 0;
    page.on("request", () => ++requests);
    add(910002);
    await page.waitForTimeout(6000);
    expect("requests of a paused page", requests, 0);
    expect("a paused page", Number(await tile(page, "Held")), held + 1);
    await page.click("#live");
    await until("news after the pause", async () => Number(await tile(page, "Held")) === held + 2);

    const hide = hidden => page.evaluate(h => {
        Object.defineProperty(document, "hidden", {configurable: true, get: () => h});
        document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
    await hide(true);
    requests = 0;
    add(910003);
    await page.waitForTimeout(6000);
    expect("requests of a hidden page", requests, 0);
    await hide(false);
    await until("news after it was hidden", async () => Number(await tile(page, "Held")) === held + 3);

    await go(page, "jobs?q=id:910003");
    await page.waitForSelector("text=live");
    sql("DELETE FROM pgq_jobs.deferred WHERE id = 910003");
    const gone = await until("a job that leaves the list", async () => await page.locator("text=No job matches").count() > 0, 2500);
    if (gone > 2500) fail(`the list took ${gone} ms`);
}

async function checkKeys(page) {
    await go(page, "");
    await page.keyboard.press("/");
    await page.keyboard.type("state:held entrypoint:charge_card");
    await page.keyboard.press("Enter");
    await until("the address of the search", () => /jobs\?q=state:held/.test(page.url()));
    await until("12 rows", async () => await page.locator("tbody tr").count() === 12);
    const where = () => page.evaluate(() => document.activeElement.textContent);
    const ids = await page.locator("tbody tr td:nth-child(2)").allInnerTexts();
    await page.keyboard.press("j");
    expect("the first row", await where(), ids[0]);
    await page.keyboard.press("j");
    expect("the second row", await where(), ids[1]);
    await page.keyboard.press("x");
    await page.waitForSelector("text=1 selected");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await until("the address of the job", () => page.url().endsWith(`job?id=${ids[0]}`));
    await page.waitForSelector(`h1:has-text("${ids[0]}")`);
    await page.goBack();
    await until("the list again", async () => await page.locator("tbody tr").count() === 12);
    await page.keyboard.press("?");
    await page.waitForSelector("dialog >> text=pause live updates");
    await page.keyboard.press("Escape");
    await until("the end of the help", async () => await page.locator("dialog").count() === 0);
    await page.locator("tbody input[type=checkbox]").first().check();
    await page.locator(".actions button:has-text('Requeue')").focus();
    sql("UPDATE pgq_jobs.deferred SET reason = 'another' WHERE lane = 3 AND id = " + ids[2]);
    await page.waitForSelector("td >> text=another");
    expect("focus after an update", await where(), "Requeue");
    sql("UPDATE pgq_jobs.deferred SET reason = 'card declined: insufficient funds' WHERE lane = 3 AND id = " + ids[2]);
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement === document.body)) fail("Tab finds nothing");
}

// Presses the button of the dialog, with these values in its fields.
async function answer(page, values = {}) {
    await page.waitForSelector("dialog[open]");
    for (const [name, value] of Object.entries(values)) await page.fill(`dialog input[name=${name}]`, value);
    await page.click("dialog button[type=submit]");
    await page.waitForSelector("dialog", {state: "detached"});
}
const said = (page, text) => page.waitForSelector(`.toast.good:has-text("${text}")`);
const heldOf = lane => Number(sql(`SELECT count(*) FROM pgq_jobs.deferred WHERE kind = 'h' AND lane = ${lane}`));

async function checkJobActions(page) {
    await go(page, "jobs?q=state:held entrypoint:charge_card");
    for (const n of [0, 1]) await page.locator("tbody input[type=checkbox]").nth(n).check();
    await page.click(".actions button:has-text('Requeue')");
    await page.waitForSelector("dialog >> text=Requeue 2 jobs?");
    await page.click("dialog button:has-text('Go back')");
    expect("after no", heldOf(3), 12);
    await page.click(".actions button:has-text('Requeue')");
    await answer(page);
    await said(page, "2 jobs requeued");
    expect("after yes", heldOf(3), 10);
    await until("the list", async () => await page.locator("tbody tr").count() === 10);

    await page.click("text=select all that match");
    await page.click(".actions button:has-text('Drop')");
    await page.waitForSelector("dialog >> text=Drop 10 jobs?");
    await answer(page);
    await said(page, "10 jobs dropped");
    expect("after the drop", heldOf(3), 0);

    await go(page, "jobs?q=state:deferred entrypoint:build_report");
    await page.check("thead input[type=checkbox]");
    await page.click(".actions button:has-text('Run now')");
    await answer(page);
    await said(page, "12 jobs made ready");
    await go(page, "jobs?q=state:ready entrypoint:build_report");
    await page.click("text=select all that match");
    await page.click(".actions button:has-text('Move')");
    await answer(page, {to_queue: "billing", to_entrypoint: "export_ledger"});
    await said(page, "12 jobs moved");
    expect("where they are", sql("SELECT count(*) FROM pgq_jobs.ready WHERE lane = 5"), "16");
    await go(page, "jobs?q=state:ready entrypoint:export_ledger");
    await page.click("text=select all that match");
    await page.click(".actions button:has-text('Cancel')");
    await answer(page);
    await said(page, "16 jobs cancelled");

    await go(page, "job?id=900001");
    await page.click("main button:has-text('Requeue')");
    await answer(page);
    await said(page, "1 job requeued");
    await page.waitForSelector("main .bar .s-ready");
    await go(page, "failed");
    const row = page.locator("tbody tr", {hasText: "550 5.1.1"});
    await row.locator("button:has-text('Requeue')").click();
    await page.waitForSelector("dialog >> text=Requeue 31 jobs?");
    await answer(page);
    await said(page, "31 jobs requeued");
    expect("what is held of mails", heldOf(1), 6);
    await until("the group", async () => await row.count() === 0);
    await page.locator("tbody tr", {hasText: "smtp.example.com"}).locator("button:has-text('Drop')").click();
    await answer(page);
    await said(page, "6 jobs dropped");
}

async function checkOtherActions(page) {
    await go(page, "queues");
    await page.click("button[aria-label='Pause shop/send_mail']");
    await answer(page, {reason: "the server moves"});
    await said(page, "shop/send_mail is paused");
    await page.waitForSelector(".list >> text=the server moves");
    expect("in the database", sql("SELECT kind, reason FROM pgq_jobs.paused"), "paused|the server moves");
    await page.click("button[aria-label='Resume shop/send_mail']");
    await said(page, "Resumed");
    await page.click("button[aria-label='Drain search/reindex']");
    await answer(page, {reason: "too many"});
    await said(page, "draining");
    await page.click(".list button");
    await until("no pause", () => sql("SELECT count(*) FROM pgq_jobs.paused") === "0");
    await page.click("text=Pause everything");
    await answer(page, {reason: "all"});
    await page.waitForSelector(".list >> text=everything");
    await page.click(".list button");
    await until("no pause again", () => sql("SELECT count(*) FROM pgq_jobs.paused") === "0");
    await page.click("button[aria-label='Set the limit of shop resize_image']");
    await answer(page, {amount: "7"});
    await said(page, "The limit is changed");
    await page.click("button[aria-label='Set the limit of shop charge_card']");
    await answer(page, {amount: "6", per: "2s", burst: "3"});
    await until("both limits", () =>
        sql("SELECT string_agg(amount || '/' || burst, ' ' ORDER BY kind) FROM pgq_jobs.lane_limit WHERE queue = 'shop'") === "7/1 6/3");

    await go(page, "schedules");
    await page.click("button[aria-label='Fire weekly-report']");
    await answer(page);
    await said(page, "Enqueued as job");
    await page.click("button[aria-label='Pause weekly-report']");
    await answer(page, {reason: "holidays"});
    await page.waitForSelector("td >> text=holidays");
    await page.click("button[aria-label='Resume weekly-report']");
    await said(page, "Resumed");
    await go(page, "workers");
    await page.click("text=Forget");
    await answer(page);
    await said(page, "forgotten");
    await until("three workers", async () => await page.locator("tbody tr").count() === 3);
}

// A proxy that gives the pages a path of their own.
async function checkSubPath(browser) {
    const target = new URL(address);
    const proxy = http.createServer((q, r) => {
        if (!q.url.startsWith("/ops/pgq/")) { r.writeHead(404); return r.end(); }
        const to = http.request({host: target.hostname, port: target.port, path: q.url.slice(8), method: q.method,
            headers: q.headers}, a => { r.writeHead(a.statusCode, a.headers); a.pipe(r); });
        q.pipe(to);
        r.on("close", () => to.destroy());
        to.on("error", () => r.destroy());
    }).listen(0, "127.0.0.1");
    await new Promise(done => proxy.on("listening", done));
    const base = `http://127.0.0.1:${proxy.address().port}/ops/pgq/`;
    const page = await open(browser, {viewport: {width: 1280, height: 800}});
    await page.goto(base);
    await page.waitForSelector("#live .dot.live");
    for (const name of ["Jobs", "Failed", "Queues", "Workers", "Schedules", "System", "Overview"]) {
        await page.click(`nav >> text=${name}`);
        await page.waitForSelector("main h1");
        await until(name, () => page.title().then(t => t.startsWith(name)));
        if (!page.url().startsWith(base)) fail(`${page.url()} is not below ${base}`);
    }
    await page.goto(`${base}jobs?q=state:held`);
    await page.locator("tbody input[type=checkbox]").first().check();
    await page.click(".actions button:has-text('Requeue')");
    await answer(page);
    await said(page, "1 job requeued");
    await page.context().close();
    proxy.closeAllConnections();
    proxy.close();
}

(async () => {
    const browser = await chromium.launch({executablePath: executable, args: ["--headless", "--no-sandbox", "--disable-gpu",
        "--disable-background-networking", "--disable-component-update", "--disable-sync"]});
    try {
        if (!process.env.PGQ_WEB_QUICK) await checkLooks(browser);
        const page = await open(browser, {viewport: {width: 1280, height: 800}, colorScheme: "light"});
        await checkTheme(page);
        await checkLive(page);
        await checkKeys(page);
        await checkJobActions(page);
        await checkOtherActions(page);
        await checkSubPath(browser);
        expect("errors, warnings and breaches of the CSP", complaints, []);
    } finally {
        await browser.close();
    }
})().catch(e => { console.error(e.message); console.error(complaints.join("\n")); process.exit(1); });
