// Looks at a dashboard as a person would, in Chromium: every page at two widths and in both
// colour schemes, by keyboard, without JavaScript, and while a member is killed.
//
//   node check.mjs DASHBOARD CONTROL CHROMIUM [short]

import { accessible, check, end, isLive, launch, visit as open } from "./look.mjs";

const [base, control, program, short] = process.argv.slice(2);
const views = ["", "members", "groups", "group?name=users", "key", "key?group=users&key=key-1", "events", "members?q=shop-1&sort=share&desc="];
const browser = await launch(program);
const visit = (context, view) => open(context, base, view);

for (const width of [360, 1440]) {
	for (const colorScheme of ["light", "dark"]) {
		if (short && (width === 360) !== (colorScheme === "light")) continue;
		const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
		for (const view of views) {
			const what = `${view || "overview"} at ${width}, ${colorScheme}`;
			const page = await visit(context, view);
			if (await page.locator("#stream").count()) {
				await isLive(page);
			}
			await accessible(page, what);
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
			check(wide <= 0, `${what}: the page is ${wide} pixels too wide`);
			for (const table of await page.locator("table").all()) {
				check(await table.evaluate((t) => !!t.caption?.textContent && [...t.tHead.rows[0].cells].every((c) => c.scope === "col")), `${what}: a table without caption or scope`);
			}
			await page.close();
		}
		await context.close();
	}
}

{ // without JavaScript
	const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1000, height: 900 } });
	const page = await visit(context, "members");
	check(await page.locator("#controls").isHidden(), "controls are shown that do nothing without JavaScript");
	await page.getByRole("link", { name: "Member", exact: true }).click();
	await page.getByRole("link", { name: "Member", exact: true }).click();
	check((await page.locator("#members tbody th").allTextContents()).join() === "shop-2,shop-1,shop-0", "members are not sorted downwards");
	check((await page.locator("#members th[aria-sort]").getAttribute("aria-sort")) === "descending", "aria-sort does not say so");
	await page.getByLabel("Rows with").fill("shop-1");
	await page.getByRole("button", { name: "Filter" }).click();
	check((await page.locator("#members tbody tr").count()) === 1, "the filter leaves more than one member");
	await page.getByRole("link", { name: "Groups" }).click();
	await page.getByRole("link", { name: "users" }).click();
	await page.getByLabel("Key", { exact: true }).fill("key-1");
	await page.getByRole("button", { name: "Ask its owner" }).click();
	check(/Its owner has/.test(await page.locator(".verdict").textContent()), "a key is not looked up");
	await context.close();
}

{ // by keyboard
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
	const page = await visit(context, "");
	await isLive(page);
	await page.keyboard.press("Tab");
	check((await page.evaluate(() => document.activeElement.textContent)) === "To the content", "the first thing is not the way to the content");
	await page.keyboard.press("Enter");
	check((await page.evaluate(() => document.activeElement.id)) === "main", "it does not lead there");
	await page.getByRole("link", { name: "Members" }).focus();
	await page.keyboard.press("Enter");
	await page.waitForURL(/members$/);
	await isLive(page);
	const sort = page.getByRole("link", { name: "Address" });
	await sort.focus();
	const at = () => page.locator("#live time").textContent();
	const before = await at();
	await page.waitForFunction((t) => document.querySelector("#live time").textContent !== t, before, { timeout: 10000 });
	check(await sort.evaluate((a) => a === document.activeElement), "an update takes the focus away");
	await page.getByRole("button", { name: "Pause" }).focus();
	await page.keyboard.press("Space");
	check((await page.locator("#stream").textContent()) === "Paused", "Pause does not say so");
	const paused = await at();
	await page.waitForTimeout(2500);
	check((await at()) === paused, "a page that is paused goes on");
	await page.keyboard.press("Space");
	await page.waitForFunction((t) => document.querySelector("#live time").textContent !== t, paused, { timeout: 10000 });
	check(true, "it goes on");
	await context.close();
}

{ // a member is killed while two pages are open
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
	const members = await visit(context, "members");
	const overview = await visit(context, "");
	for (const page of [members, overview]) await isLive(page);
	const began = Date.now();
	await fetch(control + "/kill", { method: "POST" });
	await Promise.all([members, overview].map((page) =>
		page.locator("#members tr", { hasText: "shop-2" }).filter({ hasText: /gone without leaving|cannot be called/ }).waitFor({ timeout: 15000 })));
	const took = Date.now() - began;
	console.log(`a member that was killed is shown as such after ${took} ms`);
	check(took <= 3000, `a member that was killed is shown after ${took} ms, not 3000`);
	await overview.locator(".verdict", { hasText: "Gone without leaving" }).waitFor({ timeout: 15000 });
	await accessible(overview, "overview after a loss");
	await context.close();
}

await end(browser);
