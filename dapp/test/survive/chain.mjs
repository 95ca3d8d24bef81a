/** The chain and whoever cheats on it: a hub's old state, a node that lies, a clock that is wrong. */
import { check, Person } from "../people.mjs";
import { TestWallet } from "../wallet.mjs";
import { BadNode, LIES } from "./node.mjs";
import { again, ask, reachable, until } from "./town.mjs";

const CHALLENGE_SECONDS = 700;
/** By so much time goes on at once afterwards: what locks hold is decided later than the channel. */
const STEP_SECONDS = 120;
const DAY_MS = 86_400_000;

/** Somebody who was paid since the state that the hub keeps; what is his at the end. */
async function cheated(town, person) {
  await person.pay(town.network.shop, "0.001", "for the hub to keep");
  const [{ id }] = await ask(person, "channels");
  const old = town.oldState(id);
  await town.patronPays(await person.request("0.02", "what the hub would rather forget"));
  await person.go("Home");
  await person.page.locator(".amount.in", { hasText: "0.02" }).first().waitFor();
  const [{ free, locked }] = await ask(person, "channels");
  return { id, old, due: BigInt(free) + BigInt(locked) };
}

/** Until what was due is in the account; gas is paid of it. */
async function isPaid(town, account, before, due) {
  const least = before + due - 10n ** 16n;
  await until("the money", async () => {
    await town.later(STEP_SECONDS);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    return (await town.etherOf(account)) >= least;
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

/** Begins with this node of the chain, has test ether, and a channel. */
async function over(town, node) {
  const person = await Person.at(town.browser, town.url);
  await reachable(person);
  await person.visit();
  await person.press("Go without a wallet");
  await person.page.locator("ol.words li").nth(11).waitFor();
  await person.page.locator("summary", { hasText: "Network" }).click();
  await person.page.locator('[name="rpc"]').fill(node.url);
  await person.page.locator('[name="second"]').fill(node.second ?? "");
  await person.begins("pw");
  await person.takeTestEther();
  await person.openChannel();
  // The first payment opens the way to the shop; nothing is opened for amounts that are dust.
  await person.pay(town.network.shop, "0.001", "the first");
  return person;
}

export const OWN_TOWN = {
  /** The page is open, and answers; nobody touches it. */
  async hubCheats(town) {
    const person = await town.member();
    const { old, due } = await cheated(town, person);
    const { account } = await ask(person, "status");
    const before = await town.etherOf(account);
    await town.sendAs(old);
    await person.channelIs("disputed");
    await person.page.getByText("disputed").first().waitFor();
    await until("the answer", async () => (await ask(person, "exposure")).channels.length >= 0);
    await town.later(CHALLENGE_SECONDS);
    await isPaid(town, account, before, due);
    check(true, "the hub registers an old state; the open page gets all that is its own");
    check(person.faults.length === 0, `no faults: ${person.faults}`);
  },

  /** The page is closed until all is over: the tower answers. */
  async hubCheatsWhileClosed(town) {
    const person = await town.member();
    const { old, due } = await cheated(town, person);
    await person.go("Home");
    await person.page.getByText("watches all of it").waitFor();
    const { account } = await ask(person, "status");
    const before = await town.etherOf(account);
    await person.page.close();
    const blocks = await town.chain("eth_blockNumber");
    await town.sendAs(old);
    await until("the tower's answer", async () => {
      const logs = await town.chain("eth_getLogs", { address: old.to, fromBlock: blocks });
      return logs.length >= 2;
    });
    await town.later(CHALLENGE_SECONDS);
    await person.visit();
    await person.unlock("pw");
    await isPaid(town, account, before, due);
    check(true, "… and with the page closed a tower does it");
  },

  /** The money is a wallet's: the page's key answers without a prompt, from its own ether. */
  async hubCheatsWithWallet(town) {
    const accounts = (await town.chain("eth_accounts")).slice(7, 9);
    const wallet = new TestWallet(town.network.rpc, accounts);
    const person = await Person.at(town.browser, town.url);
    await reachable(person);
    await wallet.installIn(person.context);
    await person.visit();
    await person.begin("pw", "Test wallet");
    await person.openChannel();
    await person.go("Settings");
    await person.press("Give it 0.01 ETH");
    await person.page.locator('[data-test="purse-has"]', { hasText: "0.01" }).waitFor();
    const { old, due } = await cheated(town, person);
    const before = await town.etherOf(accounts[0]);
    wallet.prompts = [];
    await town.sendAs(old);
    await person.channelIs("disputed");
    await town.later(CHALLENGE_SECONDS);
    await isPaid(town, accounts[0], before, due);
    check(wallet.prompts.length === 0, `defended without a prompt: ${wallet.prompts}`);
  },
};

export const SHARED = {
  /** Whatever its node says: nothing is signed or lost, and all is well once it tells the truth. */
  async nodeLies(town) {
    const node = await new BadNode(town.network.rpc).listen();
    const person = await over(town, node);
    for (const lie of Object.keys(LIES)) {
      // The shop gives a little back, when it likes.
      const before = parseFloat(await person.balance());
      node.be(lie);
      const asked = node.asked;
      await until("questions", () => node.asked > asked + 12);
      check(parseFloat(await person.balance()) >= before, `a node that ${lie}: ${before} is shown`);
      node.be("good");
      await person.page
        .getByText(/^ ?block \d+/)
        .first()
        .waitFor();
      await person.pay(town.network.shop, "0.000001", "after a lie");
    }
    await again(person);
    await person.pay(town.network.shop, "0.000001", "after all lies");
    check(true, "after all lies it goes on");
    node.close();
  },

  /** It is gone, slow, or behind: what can be paid is paid, and the rest is told. */
  async nodeIsBad(town) {
    const node = await new BadNode(town.network.rpc).listen();
    const person = await over(town, node);
    for (const mood of ["gone", "slow", "behind"]) {
      node.be(mood);
      if (mood !== "slow") await person.page.getByText("the chain is not seen").first().waitFor();
      await person.startPaying(town.network.shop, "0.000001", `it is ${mood}`);
      node.be("good");
      await person.page
        .getByText(/^ ?block \d+/)
        .first()
        .waitFor();
      await person.page.locator('[data-test="paid"]').waitFor();
      await person.pay(town.network.shop, "0.000001", `it was ${mood}`);
      check(true, `a node that is ${mood}, and comes back`);
    }
    node.be("gone");
    await again(person);
    await person.page.getByText("the chain is not seen").first().waitFor();
    node.be("good");
    await person.pay(town.network.shop, "0.000001", "begun without a chain");
    check(true, "a page that is opened without its node goes on with it");
    node.close();
  },

  /** Two nodes of the chain, of which one lies: neither is believed, and the page says so. */
  async nodesDisagree(town) {
    const node = await new BadNode(town.network.rpc).listen();
    const person = await over(town, { url: town.network.rpc, second: node.url });
    for (const lie of ["has other blocks", "says that nothing is stored"]) {
      node.be(lie);
      await person.go("Home");
      await person.page.getByText("the chain is not seen: ").waitFor();
      node.be("good");
      await person.page.getByText("the chain is not seen").first().waitFor({ state: "detached" });
      await person.pay(town.network.shop, "0.000001", `after one ${lie}`);
      check(true, `of two nodes one ${lie}: told`);
    }
    node.be("gone");
    await person.pay(town.network.shop, "0.000001", "with one");
    await again(person);
    await person.pay(town.network.shop, "0.000001", "begun with one");
    check(true, "of two nodes one is gone: it goes on with the other");
    node.close();
  },

  async clockIsWrong(town) {
    const person = await town.member();
    for (const off of [DAY_MS, -DAY_MS]) {
      setClock(person, off);
      await again(person);
      await person.page.getByText("and this device's clock").waitFor();
      await person.startPaying(town.network.shop, "0.001", "at a wrong time");
      await person.go("Home");
      await person.activity("at a wrong time").first().waitFor();
    }
    await again(person);
    await person.pay(town.network.shop, "0.001", "at the right time");
    check(true, "a clock that is wrong is told, and with the right one it goes on");
  },

  async hubDies(town) {
    const person = await town.member();
    process.kill(town.processOf("hub"), "SIGKILL");
    await person.startPaying(town.network.shop, "0.001", "hub is dead");
    await person.page.locator('[data-test="paid"]').waitFor();
    await person.go("Home");
    check((await person.activity("hub is dead").count()) === 1, "paid once, when it is back");
    process.kill(town.processOf("hub"), "SIGSTOP");
    const stopped = town.processOf("hub");
    await person.startPaying(town.network.shop, "0.001", "hub is silent");
    await again(person);
    process.kill(stopped, "SIGCONT");
    await person.pay(town.network.shop, "0.001", "hub speaks");
    await person.go("Home");
    check((await person.activity("hub is silent").count()) <= 1, "a hub that was silent");
  },
};
