/** Every screen there is: nothing that hinders a screen reader, nothing wider than the window. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fillsIn } from "./bets.mjs";
import { check } from "./people.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LONG_BET = { time: 4_000_000_000, reporter: `0x${"ab".repeat(20)}` };
const MOST = "999999999999";

/** Screens of whoever has unlocked, and how one comes to what is on them. */
export const SCREENS = {
  Home: async (person) => person.heading("Activity").waitFor(),
  Pay: async (person) => {
    await person.page.locator('[name="to"]').fill(person.stranger);
    await person.page.locator('[name="amount"]').fill(`${MOST}.123456789012345678`);
    await person.pressPay();
    await person.page.getByRole("alert").first().waitFor();
  },
  Request: async (person) => {
    await person.page.locator('[name="amount"]').fill("123456.123456789012345678");
    await person.page.locator('[name="memo"]').fill("W".repeat(200));
    await person.press("Make a link");
    await person.page.locator('[data-test="uri"]').waitFor();
  },
  Play: async (person) => {
    await person.heading("A new game").waitFor();
    await fillsIn(person, person.stranger, { ...LONG_BET, feed: "W".repeat(32) }, "1".repeat(30));
    await person.press("Offer it");
    await person.page.getByRole("alert").first().waitFor();
  },
  Open: async (person) => {
    await person.press("What does it cost?");
    await person.page.getByText("What it means").or(person.page.getByRole("alert")).waitFor();
  },
  Channels: async (person) => {
    await person.page.getByText("What both have signed").first().click();
    await person.page.locator('[data-test="proofs"]').first().waitFor();
  },
  Settings: async (person) => {
    await person.page.getByText("As a code for a camera").click();
    await person.page.locator('[data-test="code"]').waitFor();
  },
};

/** What axe finds on the page as it is, in words. */
async function hindrances(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  });
}

/** @param name what is looked at, for the report */
export async function isGood(person, name) {
  const found = await hindrances(person.page);
  check(found.length === 0, `${name} hinders nobody${found.map((one) => `\n  ${one}`).join("")}`);
  const [wide, room] = await person.page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  check(wide <= room, `${name} fits: ${wide} of ${room}`);
}

/** All screens, in light and dark, narrow and wide. */
export async function everyScreenIsGood(person, look = isGood, widths = [360, 1280]) {
  for (const [name, come] of Object.entries(SCREENS)) {
    await person.go(name);
    await come(person);
    for (const colorScheme of ["light", "dark"]) {
      await person.page.emulateMedia({ colorScheme });
      for (const width of widths) {
        await person.page.setViewportSize({ width, height: 780 });
        await look(person, `${name.toLowerCase()} ${colorScheme} ${width}`);
      }
    }
  }
  await person.page.emulateMedia({ colorScheme: null });
}
