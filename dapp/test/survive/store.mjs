/** The page's own bad days: ended in the middle of each step, without room, without its storage. */
import { standsAt } from "../games.mjs";
import { check, Person, until } from "../people.mjs";
import { again, ask, reachable } from "./town.mjs";

/** Wei: what is put in, or taken out, as `wouldMove` types it; and what transactions cost at most. */
const MOVED = 10n ** 16n;
const MOST_GAS = 10n ** 15n;

/** Has the worker stop for ever by `testStop`, and say so; what is returned waits until it has. */
async function stopping(person, how, given) {
  const { page } = person;
  await page.evaluate(() => {
    window.testWorker.addEventListener("message", ({ data }) => {
      window.testStopped ||= data.kind === "testStopped";
    });
  });
  const [worker] = page.workers();
  await worker.evaluate(() => {
    globalThis.testStop = () => {
      postMessage({ kind: "testStopped" });
      for (;;);
    };
  });
  await worker.evaluate(how, given);
  return () => page.waitForFunction(() => window.testStopped);
}

/** … right after its n-th write is on disk, before anything leaves. */
function stopAfterWrites(person, writes) {
  const how = (most) => {
    const { flush } = FileSystemSyncAccessHandle.prototype;
    let left = most;
    FileSystemSyncAccessHandle.prototype.flush = function () {
      flush.call(this);
      left -= 1;
      if (left === 0) testStop();
    };
  };
  return stopping(person, how, writes);
}

/** … when one half of the sealed words is on disk. */
function stopInWords(person) {
  const how = () => {
    const { flush, write } = FileSystemSyncAccessHandle.prototype;
    FileSystemSyncAccessHandle.prototype.write = function (data, place) {
      const isWords = new TextDecoder().decode(data).includes('"sealed"');
      if (!isWords) return write.call(this, data, place);
      write.call(this, data.subarray(0, data.length / 2), place);
      flush.call(this);
      return testStop();
    };
  };
  return stopping(person, how);
}

/** A reload instead of a kill. */
async function reloaded(person) {
  await person.page.reload();
  await person.unlock("pw");
}

const free = async (person) => BigInt((await ask(person, "channels"))[0].free);

async function wouldOpen(person) {
  await person.go("Open");
  await person.press("What does it cost?");
  const agree = person.page.getByRole("button", { name: "Open it", exact: true });
  await agree.waitFor();
  return () => agree.click();
}

/** Everything up to the last press of a button, which is returned. */
async function wouldMove(person, what, agree) {
  await person.go("Channels");
  await person.press(what);
  await person.page.locator('[name="move"]').fill("0.01");
  return () => person.press(agree);
}

async function wouldEnd(person, how) {
  await person.go("Channels");
  await person.press(how);
  const sure = person.page.getByRole("button", { name: new RegExp(`^${how} .*\\?`) });
  await sure.waitFor();
  return () => sure.click();
}

/** … which is pressed. */
const now = async (would) => (await would)();

/** Does it, and waits until the worker has stopped after so many writes. */
async function stoppedAt(person, writes, press) {
  const stopped = await stopAfterWrites(person, writes);
  await press();
  await stopped();
}

/** Ended so soon that it was not begun, or it goes on by itself: whichever, it can be finished. */
async function movesOnce(town, end, writes) {
  const person = await town.member();
  const { account } = await ask(person, "status");
  for (const [what, agree, sign] of [
    ["Top up", "Put it in", 1n],
    ["Withdraw", "Take it out", -1n],
  ]) {
    const [before, had] = [await free(person), await town.etherOf(account)];
    await stoppedAt(person, writes, await wouldMove(person, what, agree));
    await end(person);
    const inChannel = async () => (await free(person)) - before;
    const isIdle = async () => (await ask(person, "channels"))[0].doing === "";
    if ((await isIdle()) && (await inChannel()) === 0n) await now(wouldMove(person, what, agree));
    await until(what, async () => (await isIdle()) && (await inChannel()) === sign * MOVED);
    const left = sign * (had - (await town.etherOf(account)));
    check(
      left > MOVED - MOST_GAS && left < MOVED + MOST_GAS,
      `${what}, ended after write ${writes}: moved once, on the chain`,
    );
  }
  return person;
}

export const SHARED = {
  async killedWhileOpening(town) {
    for (const writes of [1, 2, 4]) {
      const person = await town.somebody();
      await stoppedAt(person, writes, await wouldOpen(person));
      await again(person);
      await person.go("Channels");
      await until("either", async () => {
        const phase = person.page.locator('[data-phase="open"]');
        if ((await phase.count()) > 0) return true;
        const none = await person.heading("No channel yet").count();
        const { problems } = await ask(person, "status");
        if (none > 0 && writes === 1 && problems.length === 0) {
          await now(wouldOpen(person));
        }
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
    for (const writes of [1, 2, 3, 4, "half of the words"]) {
      const person = await Person.at(town.browser, town.url);
      await reachable(person);
      await person.visit();
      await person.press("Go without a wallet");
      await person.writesDown("pw");
      const inWords = typeof writes === "string";
      const stopped = await (inWords ? stopInWords(person) : stopAfterWrites(person, writes));
      await person.press("Begin");
      await stopped();
      await person.page.reload();
      const locked = person.heading("Welcome back");
      const empty = person.heading("Whose money?");
      await locked.or(empty).waitFor();
      if (await locked.count()) await person.unlock("pw");
      else await person.begin("pw");
      await person.takeTestEther();
      check(true, `reloaded while it began, after write ${writes}: it begins`);
      await person.context.close();
    }
  },

  async endedWhileChangingNode(town) {
    const person = await town.somebody();
    await person.page.reload();
    await person.page.getByText("Ask another node").click();
    await person.page.locator('[name="rpc"]').fill(`${town.network.rpc}/`);
    await person.page.getByLabel("Password").fill("pw");
    const stopped = await stopInWords(person);
    await person.press("Unlock");
    await stopped();
    await again(person);
    await person.page.locator('[data-test="outside"]', { hasText: "1" }).waitFor();
    check(true, "ended in the middle of keeping the words anew: the old ones count");
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
      await stoppedAt(person, 1, await wouldEnd(person, how));
      await end(person);
      const [channel] = await ask(person, "channels");
      if (channel?.phase === "open" && channel.doing === "") {
        await now(wouldEnd(person, how));
      }
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
    const idempotencyKey = crypto.randomUUID();
    const wanted = {
      to: town.network.player,
      game: "TicTacToe",
      amount: "100000000000000",
      begin: true,
    };
    await stoppedAt(person, 1, async () => {
      // Nobody will answer it.
      ask(person, "play", { idempotencyKey, ...wanted }).catch(() => undefined);
    });
    await again(person);
    await ask(person, "play", { idempotencyKey, ...wanted });
    await person.go("Play");
    for (const cell of ["5", "1", "3"]) {
      await standsAt(person, "playing", "you");
      const newest = person.page.locator('[data-test="game"]').first();
      const place = newest.locator(`[data-cell="${cell}"]:not(.still).nobody`);
      if ((await place.count()) === 0) continue;
      await stoppedAt(person, 1, () => place.click());
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
    const found = await person.findsByWords(person.phrase);
    check(/1 channel; .* 0\.\d+ ETH/.test(found), "storage cleared: twelve words find a channel");
    await person.getsAllOut();
    check(true, "and bring it to the chain, by one button");
  },
};
