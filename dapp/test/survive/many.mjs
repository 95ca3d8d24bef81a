/** Much at once: a thousand payments, and a channel that is full of instances. */
import { readFileSync } from "node:fs";

import { check, until } from "../people.mjs";
import { again, ask } from "./town.mjs";

const PAYMENTS = 1_000;
const ONE_BY_ONE = 200;
const AT_ONCE = 64;
const GWEI = "1000000000";
/** More than dust. */
const STAKE = "100000000000000";
const DEPOSIT = "50000000000000000";
/** As many as a node agrees to in a channel with one peer (protocol, limits-4): a state could list
 *  64, of which the rest is kept for what is small and short over a hub. */
const MOST = 48;

/** In the window: pays so often, so many at a time; what it took, in ms, and the longest frame. */
function payMany([to, amount, times, atOnce]) {
  const took = [];
  let longest = 0;
  let last = performance.now();
  let over = false;
  const frame = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    if (!over) requestAnimationFrame(frame);
  };
  requestAnimationFrame((now) => {
    last = now;
    requestAnimationFrame(frame);
  });
  let left = times;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const began = performance.now();
      await window.testAsk("pay", { idempotencyKey: crypto.randomUUID(), to, amount, wait: 0 });
      took.push(performance.now() - began);
    }
  };
  const began = performance.now();
  return Promise.all(Array.from({ length: atOnce }, one)).then(() => {
    over = true;
    took.sort((a, b) => a - b);
    const at = (part) => took[Math.floor(part * (took.length - 1))];
    return { all: performance.now() - began, p50: at(0.5), p99: at(0.99), longest };
  });
}

/** Takes whatever is offered, each once. */
async function accepts(person) {
  person.taken ??= new Set();
  for (const { id } of await ask(person, "offers")) {
    if (person.taken.has(id)) continue;
    person.taken.add(id);
    await ask(person, "answer", { offer: id, accept: true, idempotencyKey: crypto.randomUUID() });
  }
}

const plays = (person, to) =>
  ask(person, "play", {
    idempotencyKey: crypto.randomUUID(),
    to,
    game: "TicTacToe",
    amount: STAKE,
  });

const sum = async (person) => {
  const [channel] = await ask(person, "channels");
  return BigInt(channel.free) + BigInt(channel.locked);
};

export const SHARED = {
  async thousandPayments(town) {
    const [payer, payee] = [await town.memberOnDisk(), await town.memberOnDisk()];
    // A node talks to no strangers: who has paid a request of its is none any more.
    await payer.pay(await payee.request("0.001", "the first"), "");
    const to = await payee.address();
    await payer.go("Home");
    await payee.go("Home");
    const before = await sum(payee);
    const slow = await payer.page.evaluate(payMany, [to, GWEI, ONE_BY_ONE, 1]);
    const began = Date.now();
    const fast = await payer.page.evaluate(payMany, [to, GWEI, PAYMENTS, AT_ONCE]);
    const all = BigInt(ONE_BY_ONE + PAYMENTS) * BigInt(GWEI);
    await until("all payments", async () => (await sum(payee)) === before + all);
    const seconds = (Date.now() - began) / 1_000;
    const ms = (number) => `${number.toFixed(1)} ms`;
    console.log(`one by one: p50 ${ms(slow.p50)}, p99 ${ms(slow.p99)}, frame ${ms(slow.longest)}`);
    console.log(`${AT_ONCE} at once: ${Math.round(PAYMENTS / seconds)} a second until received`);
    console.log(`longest frame of the payer's page meanwhile: ${ms(fast.longest)}`);
    await payer.go("Settings");
    const [file] = await Promise.all([
      payer.page.waitForEvent("download"),
      payer.press("Save as a file"),
    ]);
    const saved = JSON.parse(readFileSync(await file.path(), "utf8"));
    const signed = saved.proofs[0].peerSignature;
    check(saved.payments.length === PAYMENTS + ONE_BY_ONE + 1, "all are in the file that is saved");
    check(/^0x[0-9a-f]{130}$/.test(signed), "and what both have signed");
    check(payer.faults.length + payee.faults.length === 0, `${PAYMENTS} payments, none lost`);
    for (const { context } of [payer, payee]) await context.close();
  },

  /** Between two pages: as full of games as it gets, and one more. */
  async channelIsFull(town) {
    const [person, friend] = [await town.member(), await town.member()];
    const address = await person.address();
    const { account, node } = await ask(person, "status");
    const { id: invitation } = await ask(person, "request", { memo: "to a friend" });
    const deposits = { amount: DEPOSIT, peerAmount: DEPOSIT };
    const wanted = { peer: address, account, invitation, ...deposits, consent: true };
    await ask(friend, "open", { idempotencyKey: crypto.randomUUID(), ...wanted });
    const isWhole = ({ free, peerFree }) => free === DEPOSIT && peerFree === DEPOSIT;
    const between = async () => (await ask(friend, "channels")).find(isWhole);
    await until("a channel of two", async () => {
      await accepts(person);
      return (await between())?.phase === "open";
    });
    const { id } = await between();
    const full = async (one) =>
      (await ask(one, "channels")).find((channel) => channel.id === id).machines;
    for (let count = 1; count <= MOST; count += 1) {
      await plays(friend, node);
      await until(`game ${count}`, async () => {
        await accepts(person);
        return (await full(friend)) === count;
      });
    }
    check(true, `${MOST} games in one channel`);
    const { id: late } = await plays(friend, node);
    await until("a word on one more", async () => {
      await accepts(person);
      const game = (await ask(friend, "games")).find((one) => one.id === late);
      return game === undefined || game.state === "over";
    });
    check((await full(friend)) === MOST, "one more is not begun");
    for (const one of [person, friend]) {
      await one.page.setViewportSize({ width: 360, height: 700 });
      for (const screen of ["Home", "Channels", "Play"]) {
        const began = Date.now();
        await one.go(screen);
        console.log(`${screen}: ${Date.now() - began} ms`);
      }
      await again(one);
      check((await full(one)) === MOST, "all of them after the page was closed");
    }
    await person.pay(town.network.shop, "0.001", "beside them");
    check(true, "and it pays beside them");
  },
};
