/** The page's own bad days: ended in the middle of each step, without room, without its storage. */
import { standsAt } from "../games.mjs";
import { check, Person } from "../people.mjs";
import { again, ask, until } from "./town.mjs";

/** Stops the worker for ever right after its n-th write is on disk, before anything leaves. */
function stopAfterWrites(person, writes) {
  const [worker] = person.page.workers();
  return worker.evaluate((left) => {
    const { flush } = FileSystemSyncAccessHandle.prototype;
    FileSystemSyncAccessHandle.prototype.flush = function () {
      flush.call(this);
      left -= 1;
      if (left === 0) for (;;);
    };
  }, writes);
}

/** A reload instead of a kill. */
async function reloaded(person) {
  await person.page.reload();
  await person.unlock("pw");
}

const free = async (person) => BigInt((await ask(person, "channels"))[0].free);

/** @param writes after so many of what "Open it" does the worker stops; undefined: it goes on */
async function asksToOpen(person, writes) {
  await person.go("Open");
  await person.press("What does it cost?");
  const agree = person.page.getByRole("button", { name: "Open it", exact: true });
  await agree.waitFor();
  if (writes !== undefined) await stopAfterWrites(person, writes);
  await agree.click();
}

async function asksToMove(person, what, agree) {
  await person.go("Channels");
  await person.press(what);
  await person.page.locator('[name="move"]').fill("0.01");
  await person.press(agree);
}

async function asksToEnd(person, how) {
  await person.go("Channels");
  await person.press(how);
  await person.page.getByRole("button", { name: new RegExp(`^${how} .*\\?`) }).click();
}

/** Ended so soon that it was not begun, or it goes on by itself: whichever, it can be finished. */
async function movesOnce(town, end, writes) {
  const person = await town.member();
  for (const [what, agree, sign] of [
    ["Top up", "Put it in", 1n],
    ["Withdraw", "Take it out", -1n],
  ]) {
    const before = await free(person);
    await stopAfterWrites(person, writes);
    await asksToMove(person, what, agree);
    await person.page.waitForTimeout(1_000);
    await end(person);
    const [{ doing }] = await ask(person, "channels");
    const moved = async () => (await free(person)) !== before;
    if (doing === "" && !(await moved())) await asksToMove(person, what, agree);
    await until(`${what}`, moved);
    const by = (await free(person)) - before;
    check(by === sign * 10n ** 16n, `${what}, ended after write ${writes}: moved once`);
  }
  return person;
}

export const SHARED = {
  async killedWhileOpening(town) {
    for (const writes of [1, 2, 4]) {
      const person = await town.somebody();
      await asksToOpen(person, writes);
      await person.page.waitForTimeout(1_000);
      await again(person);
      await person.go("Channels");
      await until("either", async () => {
        const phase = person.page.locator('[data-phase="open"]');
        if ((await phase.count()) > 0) return true;
        const none = await person.heading("No channel yet").count();
        const { problems } = await ask(person, "status");
        if (none > 0 && writes === 1 && problems.length === 0) await asksToOpen(person);
        await person.go("Channels");
        return false;
      });
      check(
        (await ask(person, "channels")).length === 1,
        `killed after write ${writes}: one channel`,
      );
      await person.context.close();
    }
  },

  async reloadedWhileBeginning(town) {
    const person = await Person.at(town.browser, town.url);
    await person.visit();
    await person.press("Go without a wallet");
    await person.page.locator("ol.words li").nth(11).waitFor();
    await person.page.getByLabel("I have written them down").check();
    await person.page.getByLabel("Password for this browser").fill("pw");
    await person.press("Begin");
    await person.page.waitForTimeout(400);
    await person.page.reload();
    const locked = person.heading("Welcome back");
    const empty = person.heading("Whose money?");
    await locked.or(empty).waitFor();
    if (await locked.count()) await person.unlock("pw");
    else await person.begin("pw");
    await person.takeTestEther();
    check(true, "reloaded while it began: it begins");
  },

  async endedWhileMoving(town) {
    await movesOnce(town, again, 1);
    await movesOnce(town, reloaded, 3);
  },

  async endedWhileClosing(town) {
    for (const [how, end] of [
      ["Close", again],
      ["Leave", reloaded],
    ]) {
      const person = await town.member();
      await stopAfterWrites(person, 1);
      await asksToEnd(person, how);
      await person.page.waitForTimeout(1_000);
      await end(person);
      const [channel] = await ask(person, "channels");
      if (channel?.phase === "open" && channel.doing === "") await asksToEnd(person, how);
      await until("its end", async () => {
        const [left] = await ask(person, "channels");
        return left === undefined || (how === "Leave" && left.phase === "disputed");
      });
      check(true, `ended in the middle of "${how}": it is done`);
      await person.context.close();
    }
  },

  async endedWhilePlaying(town) {
    const person = await town.member();
    const id = crypto.randomUUID();
    const wanted = {
      to: town.network.player,
      game: "TicTacToe",
      amount: "100000000000000",
      begin: true,
    };
    const asking = ask(person, "play", { idempotencyKey: id, ...wanted }).catch(() => undefined);
    await person.page.waitForTimeout(300);
    await again(person);
    await asking;
    await ask(person, "play", { idempotencyKey: id, ...wanted });
    await person.go("Play");
    await standsAt(person, "playing", "you");
    for (const cell of ["5", "1", "3"]) {
      const newest = person.page.locator('[data-test="game"]').first();
      const place = newest.locator(`[data-cell="${cell}"]:not(.still).nobody`);
      await standsAt(person, "playing", "you");
      if ((await place.count()) === 0) continue;
      await stopAfterWrites(person, 1);
      await place.click();
      await person.page.waitForTimeout(700);
      await again(person);
      await person.go("Play");
    }
    check(
      (await ask(person, "games")).length === 1,
      "killed at each move: one game, and it goes on",
    );
  },

  async noRoomLeft(town) {
    const person = await town.member();
    const before = await person.balance();
    const tools = await person.context.newCDPSession(person.page);
    const { origin } = new URL(town.url);
    await tools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
    await person.startPaying(town.network.shop, "0.001", "without room");
    await person.heading("The node has stopped").waitFor();
    await person.page.getByText("this browser").first().waitFor();
    await tools.send("Storage.overrideQuotaForOrigin", { origin });
    await again(person);
    check((await person.balance()) === before, "without room nothing was paid");
    await person.pay(town.network.shop, "0.001", "with room");
    check(true, "a full quota stops the node in words, and with room it goes on");
  },

  async storageIsCleared(town) {
    const person = await town.member();
    await person.pay(town.network.shop, "0.001", "before");
    await person.go("Settings");
    await person.page.getByText(/^has copy (\d+) of \1$/).waitFor();
    const tools = await person.context.newCDPSession(person.page);
    const { origin } = new URL(town.url);
    await person.page.goto("about:blank");
    await tools.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" });
    await person.page.goto(town.url);
    await person.press("I have twelve words");
    await person.page.locator('[name="phrase"]').fill(person.phrase);
    await person.press("Begin");
    const found = await person.page.locator('[data-test="found"]').innerText();
    check(/1 channel; .* 0\.\d+ ETH/.test(found), "storage cleared: twelve words find a channel");
    await person.press("Get it out");
    await person.press("Get all of it out");
    await person.channelIs("disputed");
    check(true, "and bring it to the chain, by one button");
  },
};
