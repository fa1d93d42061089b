// node screenshots.mjs FOLDER EMAIL.html… : pictures of each email, light and wide, dark and narrow.
import fs from "node:fs";
import path from "node:path";
import { withBrowser, withPage } from "./browser.mjs";

const [folder, ...files] = process.argv.slice(2);
const VIEWS = [
  { scheme: "light", width: 800 },
  { scheme: "dark", width: 375 },
];

await withBrowser(async (browser) => {
  for (const file of files) {
    const html = fs.readFileSync(file, "utf8");
    for (const how of VIEWS) {
      const name = `${path.basename(file, ".html")}-${how.scheme}-${how.width}.png`;
      await withPage(browser, html, how, (page) =>
        page.screenshot({ path: path.join(folder, name) }),
      );
      console.log(path.join(folder, name));
    }
  }
});
