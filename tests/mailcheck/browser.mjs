// Opens an email in headless Chromium, in a colour scheme and at a width.
import fs from "node:fs";
import puppeteer from "puppeteer-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function chromium() {
  return process.env.CHROMIUM ?? PLACES.find((place) => fs.existsSync(place));
}

// Calls `use` with a browser that is closed afterwards.
export async function withBrowser(use) {
  const browser = await puppeteer.launch({
    executablePath: chromium(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

// Calls `use` with the page that `html` makes at `width` pixels; nothing is loaded from outside.
export async function withPage(browser, html, { scheme, width }, use) {
  const page = await browser.newPage();
  try {
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      const own = request.url().startsWith("data:") || request.url() === "about:blank";
      return own ? request.continue() : request.abort();
    });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.setViewport({ width, height: 1200 });
    await page.setContent(html, { waitUntil: "load" });
    // As high as it is, rather than a picture pieced together: that goes wrong from right to left.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewport({ width, height });
    return await use(page);
  } finally {
    await page.close();
  }
}
