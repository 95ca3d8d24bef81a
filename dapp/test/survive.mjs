/** Bad days of a page: node test/survive.mjs URL HOME CASE…, HOME being the folder of `perun up`;
 *  `--towns` lists the cases, those of a line share a network. See
 *  `tests/node/processes/page/survive.py`. */
import { launch } from "./people.mjs";
import { livesWithWallet } from "./with_wallet.mjs";
import * as chain from "./survive/chain.mjs";
import * as hubs from "./survive/hubs.mjs";
import * as many from "./survive/many.mjs";
import * as start from "./survive/start.mjs";
import * as store from "./survive/store.mjs";
import * as texts from "./survive/texts.mjs";
import { Town } from "./survive/town.mjs";

/** What a wallet of the browser may do: says no, is elsewhere, changes its account or its chain. */
const walletRefuses = (town) => livesWithWallet(town.browser, town.url, town.network);

const SHARED = {
  ...start.SHARED,
  ...store.SHARED,
  ...texts.SHARED,
  ...chain.SHARED,
  ...many.SHARED,
  ...hubs.SHARED,
  walletRefuses,
};
/** Time goes on in them, for everybody in their network. */
const OWN_TOWN = { ...chain.OWN_TOWN };
const CASES = { ...SHARED, ...OWN_TOWN };

const [url, home, ...chosen] = process.argv.slice(2);

const SOON = 5_000;

/** What people would have seen, and what the nodes say that still answer. */
async function shown(browser) {
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    const text = page.locator("body").innerText({ timeout: SOON });
    console.log(await text.catch(() => "gone"));
    const asked = page.evaluate(async (soon) => {
      const late = new Promise((resolve) => setTimeout(() => resolve("no answer"), soon));
      const said = ["channels", "offers", "games"].map((method) => window.testAsk?.(method));
      return Promise.race([Promise.all(said), late]);
    }, SOON);
    console.log(JSON.stringify(await asked.catch(() => "gone")));
  }
}

if (url === "--towns") {
  console.log(Object.keys(SHARED).join(" "));
  for (const name of Object.keys(OWN_TOWN)) console.log(name);
} else {
  const browser = await launch();
  const failed = [];
  const town = await Town.at(browser, url, home);
  for (const name of chosen) {
    console.log(`--- ${name}`);
    try {
      await CASES[name](town);
    } catch (error) {
      failed.push(name);
      await shown(browser);
      console.log(error);
    }
    for (const context of browser.contexts()) await context.close();
  }
  await browser.close();
  console.log(failed.length === 0 ? "all is well" : `not survived: ${failed.join(" ")}`);
  // Whatever a case that failed has left listening.
  process.exit(failed.length === 0 ? 0 : 1);
}
