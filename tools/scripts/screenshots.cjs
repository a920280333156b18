// screenshots.cjs CHROMIUM ADDRESS FOLDER: one picture of each page that docs/guides/web.md shows.

const {chromium} = require("playwright-core");
const [, , executable, address, folder] = process.argv;

const pictures = [
    {name: "web_overview", path: ""},
    {name: "web_overview_dark", path: "?last=24h", dark: true},
    {name: "web_jobs", path: "jobs?q=state:held", prepare: async page => {
        for (const n of [0, 1, 3]) await page.locator("tbody input[type=checkbox]").nth(n).check();
    }, height: 400},
    {name: "web_confirm", path: "failed", prepare: async page => {
        await page.locator("tbody button").first().click();
        await page.waitForSelector("dialog[open]");
    }, height: 420},
    {name: "web_job", path: "job?id=12245", height: 640},
    {name: "web_queues", path: "queues", height: 620},
    {name: "web_phone", path: "", width: 390, height: 760},
];

(async () => {
    const browser = await chromium.launch({executablePath: executable, args: ["--headless", "--no-sandbox", "--disable-gpu",
        "--disable-background-networking", "--disable-component-update", "--disable-sync"]});
    for (const p of pictures) {
        const context = await browser.newContext({viewport: {width: p.width ?? 1180, height: p.height ?? 780},
            colorScheme: p.dark ? "dark" : "light", reducedMotion: "reduce"});
        const page = await context.newPage();
        await page.goto(address + p.path);
        await page.waitForSelector("main h1");
        await page.waitForSelector("#live .dot.live");
        if (p.path === "" || p.path.startsWith("?")) await page.waitForSelector(".u-over");
        await p.prepare?.(page);
        await page.screenshot({path: `${folder}/${p.name}.png`});
        await context.close();
    }
    await browser.close();
})().catch(e => { console.error(e.message); process.exit(1); });
