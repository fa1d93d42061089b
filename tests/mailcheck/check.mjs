// node check.mjs EMAIL.html… : prints one JSON object a file with what the tools have against it,
// and what they would have if allowed.json did not say why it stays.
import fs from "node:fs";
import { createRequire } from "node:module";
import { caniemail } from "caniemail";
import { HtmlValidate } from "html-validate";
import { withBrowser, withPage } from "./browser.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const allowed = JSON.parse(fs.readFileSync(new URL("allowed.json", import.meta.url), "utf8"));

const VIEWS = [
  { scheme: "light", width: 320 },
  { scheme: "light", width: 375 },
  { scheme: "light", width: 800 },
  { scheme: "dark", width: 375 },
  { scheme: "dark", width: 800 },
];

const validator = new HtmlValidate({ extends: ["html-validate:recommended"] });

// Sorts problems into those that are allowed, by name, and those that are not, in words.
function sorted(tool, problems) {
  const excused = problems.map(([name]) => name).filter((name) => name in allowed[tool]);
  const left = problems.filter(([name]) => !(name in allowed[tool])).map(([, words]) => words);
  return { problems: left, excused: [...new Set(excused)] };
}

async function markup(html) {
  const report = await validator.validateString(html);
  const messages = report.results.flatMap((result) => result.messages);
  return sorted(
    "html-validate",
    messages.map((one) => [one.ruleId, `${one.ruleId} at ${one.line}:${one.column}: ${one.message}`]),
  );
}

function support(html) {
  const { issues } = caniemail({ clients: allowed.clients, html });
  const problems = [...issues.errors].flatMap(([client, errors]) =>
    errors.map(({ title }) => [title, `${title}: not in ${client}`]),
  );
  return sorted("caniemail", problems);
}

async function accessibility(browser, html) {
  const problems = [];
  for (const how of VIEWS) problems.push(...(await view(browser, html, how)));
  return sorted("axe", problems);
}

async function view(browser, html, how) {
  return withPage(browser, html, how, async (page) => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    const where = `${how.scheme}, ${how.width} px`;
    const problems = violations.map((one) => [
      one.id,
      `${where}: ${one.id}: ${one.help}: ${one.nodes[0].target}`,
    ]);
    if (overflow > 0) problems.push(["sideways", `${where}: scrolls ${overflow} px sideways`]);
    return problems;
  });
}

await withBrowser(async (browser) => {
  for (const file of process.argv.slice(2)) {
    const html = fs.readFileSync(file, "utf8");
    const tools = {
      "html-validate": await markup(html),
      caniemail: support(html),
      axe: await accessibility(browser, html),
    };
    console.log(JSON.stringify({ file, tools }));
  }
});
