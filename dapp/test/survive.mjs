/** Bad days of a page: node test/survive.mjs URL HOME [CASE…], HOME being the folder of `perun up`. */
import { readFileSync, readdirSync } from "node:fs";

import { Person, check, launch } from "./people.mjs";

const [url, home, ...chosen] = process.argv.slice(2);
const network = await (await fetch(new URL("/network.json", url))).json();
const browser = await launch();
const DAY_MS = 86_400_000;
const SCREENS = ["Home", "Pay", "Request", "Open", "Channels", "Settings"];

async function somebody() {
  const person = await Person.at(browser, url);
  await person.visit();
  await person.begin("pw");
  await person.takeTestEther();
  return person;
}

async function withChannel() {
  const person = await somebody();
  await person.openChannel();
  return person;
}

async function again(person) {
  await person.page.close();
  await person.visit();
  await person.unlock("pw");
}

/** A process of `perun up`, by its role. */
function processOf(role) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .find((id) => {
      try {
        const words = readFileSync(`/proc/${id}/cmdline`, "utf8").split("\0");
        return words.includes(home) && words[words.indexOf("inhabitant") + 1] === role;
      } catch {
        return false;
      }
    });
}

/** Every clock that the node of the next tab reads is off by this. */
function setClock(person, off) {
  const change = (ms) => {
    const Right = Date;
    const now = Date.now.bind(Date);
    globalThis.Date = class extends Right {
      constructor(...given) {
        super(...(given.length > 0 ? given : [now() + ms]));
      }
      static now() {
        return now() + ms;
      }
    };
  };
  person.context.once("page", (page) =>
    page.once("worker", (worker) => void worker.evaluate(change, off)),
  );
}

const cases = {
  async reloadWhileOpening() {
    for (const wait of [0, 300, 1_500]) {
      const person = await somebody();
      await person.go("Open");
      await person.press("What does it cost?");
      await person.press("Open it");
      await person.page.waitForTimeout(wait);
      await again(person);
      await person.channelIs("open");
      check(true, `killed ${wait} ms after opening was begun: it is opened`);
      await person.context.close();
    }
  },

  async killWhileClosing() {
    const person = await withChannel();
    await person.go("Channels");
    await person.press("Close");
    await person.press("Close together now?");
    await again(person);
    await person.go("Channels");
    await person.heading("No channel yet").waitFor();
    check(true, "killed while closing: it is closed");
  },

  async hubDies() {
    const person = await withChannel();
    process.kill(Number(processOf("hub")), "SIGKILL");
    await person.startPaying(network.shop, "0.001", "hub is dead");
    await person.page.locator('[data-test="paid"]').waitFor();
    await person.go("Home");
    check((await person.activity("hub is dead").count()) === 1, "paid once, when it is back");
  },

  async clockIsWrong() {
    const person = await withChannel();
    for (const off of [DAY_MS, -DAY_MS]) {
      setClock(person, off);
      await again(person);
      await person.page.getByText("and this device's clock").waitFor();
      await person.startPaying(network.shop, "0.001", "at a wrong time");
      await person.go("Home");
      await person.activity("at a wrong time").first().waitFor();
    }
    await again(person);
    await person.pay(network.shop, "0.001", "at the right time");
    check(true, "a clock that is wrong is told, nothing is signed meanwhile, and then it goes on");
  },

  async hostileTexts() {
    const [person, other] = [await withChannel(), await withChannel()];
    const mark = '<img src=x onerror="window.taken=1"><script>window.taken=1</script>';
    const hostile = `${mark}\u202e${"W".repeat(60)}`;
    await person.pay(await other.request("0.001", hostile), "");
    await person.pay(network.shop, "0.001", `${mark}${"M".repeat(100)}`);
    await person.keepContact(`<b>${"M".repeat(20)}</b>`, await other.address());
    for (const width of [360, 1_200]) {
      await person.page.setViewportSize({ width, height: 700 });
      for (const screen of SCREENS) {
        await person.go(screen);
        const over = await person.page.evaluate(() => {
          const { scrollWidth, clientWidth } = document.documentElement;
          return scrollWidth - clientWidth;
        });
        check(over <= 0, `nothing overflows at ${width}: ${screen}`);
      }
    }
    check(!(await person.page.evaluate(() => "taken" in window)), "no script of others ran");
    check(person.faults.length === 0, `no faults: ${person.faults}`);
  },

  async noRoomLeft() {
    const person = await withChannel();
    const tools = await person.context.newCDPSession(person.page);
    const origin = new URL(url).origin;
    await tools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
    await person.startPaying(network.shop, "0.001", "without room");
    await person.heading("The node has stopped").waitFor();
    await person.page.getByText("this browser").first().waitFor();
    await tools.send("Storage.overrideQuotaForOrigin", { origin });
    await again(person);
    await person.pay(network.shop, "0.001", "with room");
    check(true, "a full quota stops the node in words, and with room it goes on");
  },
};

try {
  for (const name of chosen.length > 0 ? chosen : Object.keys(cases)) {
    console.log(name);
    await cases[name]();
    for (const context of browser.contexts()) await context.close();
  }
  console.log("all is well");
} catch (error) {
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    const shown = await page
      .locator("body")
      .innerText()
      .catch(() => "gone");
    console.log(shown);
  }
  throw error;
} finally {
  await browser.close();
}
