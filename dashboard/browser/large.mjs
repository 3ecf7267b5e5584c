// Measures the pages of a large mesh in Chromium: what they weigh, and how long the page's own script takes to
// take in an update; and, with CONTROL, how soon it shows that a member was killed.
//
//   node large.mjs DASHBOARD CHROMIUM [CONTROL VICTIM]

import { accessible, check, end, isLive, launch, visit } from "./look.mjs";

const [base, program, control, victim] = process.argv.slice(2);
const mostBytes = 500000;
const mostMs = 50;
const updates = 5;

const browser = await launch(program);
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await context.addInitScript(() => {
	window.updates = [];
	new PerformanceObserver((list) => {
		for (const e of list.getEntries()) if (e.name === "update") window.updates.push(e.duration);
	}).observe({ entryTypes: ["measure"] });
});
for (const view of ["", "members", "groups", "group?name=group-150", "events"]) {
	const bytes = (await (await fetch(base + view)).arrayBuffer()).byteLength;
	const page = await visit(context, base, view);
	await isLive(page);
	await page.locator("#every").selectOption("1");
	await page.waitForFunction((n) => window.updates.length > n, updates, { timeout: 30000 });
	const took = (await page.evaluate(() => window.updates)).sort((a, b) => a - b);
	const median = took[took.length >> 1];
	console.log(`${view || "overview"}: ${Math.round(bytes / 1000)} KB, an update takes ${median.toFixed(1)} ms of script, ${took.at(-1).toFixed(1)} at most`);
	check(bytes <= mostBytes, `${view}: ${bytes} bytes, want at most ${mostBytes}`);
	check(median <= mostMs, `${view}: an update takes ${median} ms of script, want at most ${mostMs}`);
	await accessible(page, `${view} of a large mesh`);
	await page.close();
}
if (control) {
	const [members, overview] = await Promise.all(["members", ""].map((view) => visit(context, base, view)));
	for (const page of [members, overview]) await isLive(page);
	const began = Date.now();
	await fetch(control + "/kill", { method: "POST" });
	await Promise.all([members, overview].map((page) =>
		page.locator("#members tr", { hasText: victim }).filter({ hasText: /gone without leaving|cannot be called/ }).waitFor({ timeout: 30000 })));
	const took = Date.now() - began;
	console.log(`a member that was killed is shown as such after ${took} ms`);
	check(took <= 3000, `a member that was killed is shown after ${took} ms, not 3000`);
	await accessible(members, "members of a large mesh after a loss");
}
await end(browser);
