/** Pictures of every screen, to be looked at: node test/look.mjs URL FOLDER */
import { invites, standsAt } from "./games.mjs";
import { join } from "node:path";
import { launch, Person } from "./people.mjs";
import { everyScreenIsGood, isGood } from "./screens.mjs";

const [url, folder] = process.argv.slice(2);
const network = await (await fetch(new URL("/network.json", url))).json();
const browser = await launch();
const troubles = [];

/** A picture, and what is wrong with it; the others are taken all the same. */
async function look(person, name) {
  await person.page.screenshot({
    path: join(folder, `${name.replaceAll(" ", "-")}.png`),
    fullPage: true,
  });
  await isGood(person, name).catch((error) => troubles.push(error.message));
}

async function everyWay(person, name) {
  for (const colorScheme of ["light", "dark"]) {
    await person.page.emulateMedia({ colorScheme });
    for (const width of [360, 1280]) {
      await person.page.setViewportSize({ width, height: 780 });
      await look(person, `${name} ${colorScheme} ${width}`);
    }
  }
}

try {
  const alice = await Person.at(browser, url);
  alice.stranger = network.shop;
  await alice.visit();
  await alice.heading("Whose money?").waitFor();
  await everyWay(alice, "0 first");
  await alice.press("Go without a wallet");
  await alice.page.locator("ol.words li").nth(11).waitFor();
  await everyWay(alice, "0 words");
  await alice.begins("a password");
  await alice.takeTestEther();
  await alice.openChannel();
  await alice.pay(network.shop, "0.001", "a coffee");
  await alice.pay(network.shop, "0.000000000000000001", "W".repeat(200));
  await invites(alice, "TicTacToe", "The player here", "0.001");
  await standsAt(alice, "playing", "you");
  await alice.page.locator('[data-cell="5"]').click();
  await standsAt(alice, "playing", "you");
  await everyScreenIsGood(alice, look);
  await alice.page.reload();
  await alice.heading("Welcome back").waitFor();
  await everyWay(alice, "0 locked");
} finally {
  await browser.close();
}
for (const trouble of troubles) console.log(trouble);
console.log(`Pictures: ${folder}`);
process.exitCode = troubles.length === 0 ? 0 : 1;
