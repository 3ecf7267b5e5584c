// Looks at the dashboard of a running program, light and dark, and takes the pictures of README.md.
//
//   node pictures.mjs DASHBOARD CHROMIUM GROUP GONE [DIRECTORY FOR PICTURES, or -]
//
// GONE is the name of a member that has been killed.

import { join } from "node:path";
import { accessible, check, end, isLive, launch, visit } from "./look.mjs";

const [base, program, group, gone, pictures] = process.argv.slice(2);
const browser = await launch(program);
for (const colorScheme of ["light", "dark"]) {
	for (const [name, view, width, height] of [["overview", "", 1200, 900], ["group", `group?name=${group}`, 1200, 900], ["members", "members", 1200, 700], ["phone", "members", 360, 700]]) {
		const context = await browser.newContext({ viewport: { width, height }, colorScheme });
		const page = await visit(context, base, view);
		await isLive(page);
		if (view !== `group?name=${group}`) {
			await page.locator("#members tr", { hasText: gone }).filter({ hasText: "gone without leaving" }).waitFor({ timeout: 15000 });
		}
		check((await page.locator("table tbody tr").count()) > 3, `${name} shows little`);
		await accessible(page, `${name}, ${colorScheme}`);
		if (pictures !== "-") await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`) });
		await context.close();
	}
}
await end(browser);
