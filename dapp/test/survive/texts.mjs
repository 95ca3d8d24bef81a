/** Texts of strangers: no script runs, nothing is wider than the window, nothing altered is paid. */
import { createServer } from "node:http";

import { check } from "../people.mjs";
import { ask } from "./town.mjs";

const SCREENS = ["Home", "Pay", "Request", "Play", "Open", "Channels", "Settings"];
const MARK = '<img src=x onerror="window.taken=1"><script>window.taken=1</script>';
const BACKWARDS = "\u202e";

async function fits(person, where) {
  const over = await person.page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  check(over <= 0, `${where}: nothing overflows`);
}

async function everywhere(person) {
  for (const width of [360, 1_200]) {
    await person.page.setViewportSize({ width, height: 700 });
    for (const screen of SCREENS) {
      await person.go(screen);
      await fits(person, `${screen} at ${width}`);
    }
  }
}

async function unharmed(person) {
  check(!(await person.page.evaluate(() => "taken" in window)), "no script of others ran");
  check(person.faults.length === 0, `no faults: ${person.faults}`);
}

/** Each with one part of it another. */
function altered(request) {
  const url = new URL(request);
  const found = [...url.searchParams].flatMap(([name, value]) => {
    const other = new URL(request);
    const at = Math.floor(value.length / 2);
    const swapped = { 0: "1", a: "b" }[value[at]] ?? (/\d/.test(value[at]) ? "0" : "a");
    other.searchParams.set(name, value.slice(0, at) + swapped + value.slice(at + 1));
    const less = new URL(request);
    less.searchParams.delete(name);
    return [
      [`another ${name}`, other.href],
      [`no ${name}`, less.href],
    ];
  });
  return [...found, ["cut", request.slice(0, -20)], ["more", `${request}&amount=1`]];
}

/** A host with a card of its own making. */
async function host(card) {
  const server = createServer((_, response) => {
    response.writeHead(200, { "Access-Control-Allow-Origin": "*" });
    response.end(card());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, place: `127.0.0.1:${server.address().port}` };
}

export const SHARED = {
  async hostileTexts(town) {
    const [person, other] = [await town.member(), await town.member()];
    const hostile = `${MARK}${BACKWARDS}${"W".repeat(60)}`;
    await person.pay(await other.request("0.001", hostile), "");
    await person.pay(town.network.shop, "0.001", `${MARK}${"M".repeat(100)}`);
    await person.pay(await other.address(), "0.001", BACKWARDS + "W".repeat(250));
    await person.keepContact(`<b>${"M".repeat(20)}</b>`, await other.address());
    for (const one of [person, other]) {
      await everywhere(one);
      await unharmed(one);
    }
  },

  async hostileCard(town) {
    const person = await town.member();
    let text = "";
    const { server, place } = await host(() => text);
    const real = new URL("/.well-known/perun.json", `http://${town.network.hub.split("@")[1]}`)
      .href;
    const { card, node } = town.python("hostile_card", real, place);
    const cards = {
      "full of script": card,
      altered: card.replace('"serial":', '"serial":1'),
      "no card": MARK.repeat(50),
      "nested without end": `${"[".repeat(100_000)}`,
      "of ten megabytes": `"${"W".repeat(10_000_000)}"`,
      "of numbers that are none": card.replace(/"9{40}"/g, '"1e400"'),
    };
    await person.page.setViewportSize({ width: 360, height: 700 });
    for (const [name, content] of Object.entries(cards)) {
      text = content;
      await person.go("Home");
      await person.go("Open");
      await person.page.locator('[name="peer"]').fill(`${node}@${place}`);
      await person.press("What does it cost?");
      await person.page.getByText("What it means").or(person.page.getByRole("alert")).waitFor();
      await fits(person, `a hub's card that is ${name}`);
      await unharmed(person);
    }
    await person.pay(town.network.shop, "0.001", "after all cards");
    server.close();
  },

  async alteredRequest(town) {
    const [person, other] = [await town.member(), await town.member()];
    const request = await other.request("0.001", "as it was");
    const before = await person.balance();
    for (const [what, text] of altered(request)) {
      await person.go("Home");
      await person.startPaying(text, "");
      const failed = person.page.locator('main [role="alert"], main [data-step="failed"]').first();
      const paid = person.page.locator('[data-test="paid"]');
      await failed.or(paid).first().waitFor();
      check(
        (await paid.count()) === 0,
        `a request with ${what}: ${(await failed.innerText()).split("\n")[0]}`,
      );
    }
    check((await person.balance()) === before, "nothing altered was paid");
    await person.pay(request, "");
    check((await ask(other, "payments", { direction: "in" })).length === 1, "the true one is");
  },
};
