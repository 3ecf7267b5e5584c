// What the checks in Chromium have in common.

import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

let failed = 0;
let passed = 0;

/** Counts what should be so, and says what is not. */
export function check(ok, what) {
	if (ok) passed++;
	else { failed++; console.log("FAILED:", what); }
}

export const launch = (program) => chromium.launch({ executablePath: program, args: ["--no-sandbox"] });

/** Opens a page that reports what it should not do. */
export async function visit(context, base, view) {
	const page = await context.newPage();
	page.on("console", (m) => { if (["error", "warning"].includes(m.type())) check(false, `${view}: console says: ${m.text()}`); });
	page.on("pageerror", (e) => check(false, `${view}: ${e}`));
	page.on("request", (r) => { if (!r.url().startsWith(base) && !r.url().startsWith("data:")) check(false, `${view} asks ${r.url()}`); });
	await page.goto(base + view, { waitUntil: "load" });
	return page;
}

/** Waits until the page keeps up with the member. */
export const isLive = (page) => page.locator("#stream", { hasText: "Live" }).waitFor({ timeout: 10000 });

/** Checks a page by axe-core. */
export async function accessible(page, what) {
	// Not as a script of the page, which its policy would refuse.
	const session = await page.context().newCDPSession(page);
	await session.send("Runtime.evaluate", { expression: axe });
	const { result } = await session.send("Runtime.evaluate", {
		expression: "axe.run(document).then((r) => JSON.stringify({ passes: r.passes.length, violations: r.violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(' ') + ': ' + n.failureSummary)]) }))",
		awaitPromise: true, returnByValue: true,
	});
	const { passes, violations } = JSON.parse(result.value);
	check(passes > 10 && violations.length === 0, `${what}: axe: ${passes} rules hold, and ${JSON.stringify(violations, null, 1)}`);
	await session.detach();
}

/** Says what came of it, and ends. */
export async function end(browser) {
	await browser.close();
	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed ? 1 : 0);
}
