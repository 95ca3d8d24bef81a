/** The chain and whoever cheats on it: a hub's old state, a node that lies, a clock that is wrong. */
import { check, Person, until } from "../people.mjs";
import { TestWallet } from "../wallet.mjs";
import { BadNode, LIES } from "./node.mjs";
import { again, ask, opened, reachable } from "./town.mjs";

const CHALLENGE_SECONDS = 700;
/** By so much time goes on at once afterwards: what locks hold is decided later than the channel. */
const STEP_SECONDS = 120;
const DAY_MS = 86_400_000;
/** More than dust. */
const LITTLE = "0.0001";
/** In so many everything that is followed has had its turn to be compared with storage. */
const LIED_BLOCKS = 6;

/** The hub that this person was paid over since brings the state before that to the chain. It is an
 *  honest program, which would answer itself: it stands still from then on, as do others who would.
 *  Returns what is due at the end, and who has answered, once somebody has. */
async function cheats(town, person, others, { first, then } = {}) {
  await person.pay(town.network.shop, "0.001", "for the hub to keep");
  const [{ id }] = await ask(person, "channels");
  const old = town.oldState(id);
  await town.patronPays(await person.request("0.02", "what the hub would rather forget"));
  await person.go("Home");
  await person.page.locator(".amount.in", { hasText: "0.02" }).first().waitFor();
  const [{ free, locked }] = await ask(person, "channels");
  await first?.();
  for (const role of ["hub", ...others]) town.freeze(role);
  const [registered] = await town.logsOf(await town.sendAs(old));
  await then?.();
  const by = await answered(town, registered);
  return { due: BigInt(free) + BigInt(locked), by };
}

/** Waits until a later state of the channel is on the chain, too; the account that has sent it. */
async function answered(town, { address, topics, data, blockNumber }) {
  const versionOf = (said) => BigInt(said.slice(0, 66));
  let later;
  await until("the answer", async () => {
    const wanted = { address, topics: topics.slice(0, 2), fromBlock: blockNumber };
    const logs = await town.chain("eth_getLogs", wanted);
    later = logs.find((log) => versionOf(log.data) > versionOf(data));
    return later !== undefined;
  });
  const { from } = await town.chain("eth_getTransactionByHash", later.transactionHash);
  return from;
}

const same = (one, another) => one.toLowerCase() === another.toLowerCase();

/** Time goes on, and this person's node looks at it, until what was due is in the account; gas is
 *  paid of it. */
async function isPaid(town, person, account, before, due) {
  const least = before + due - 10n ** 16n;
  await until("the money", async () => {
    await town.later(STEP_SECONDS);
    await hasLooked(town, person);
    return (await town.etherOf(account)) >= least;
  });
}

/** Waits until the node has seen the newest block. */
async function hasLooked(town, person) {
  const head = Number(await town.chain("eth_blockNumber"));
  await until("a look at it", async () => (await ask(person, "status")).block.number >= head);
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

/** What the node calls this person's own. */
async function own(person) {
  const channels = await ask(person, "channels");
  return channels.reduce((sum, { free, locked }) => sum + BigInt(free) + BigInt(locked), 0n);
}

/** Whether the page says that it does not see the chain. */
async function isTold(person) {
  const { problems } = await ask(person, "status");
  return problems.some(({ code }) => code === "chainUnseen");
}

/** Waits until the node has looked at a new block, and is content. */
async function seesAgain(town, person) {
  await town.chain("evm_mine");
  await hasLooked(town, person);
  await until("peace", async () => {
    const { block } = await ask(person, "status");
    return block.fresh && !(await isTold(person));
  });
}

/** Begins with this node of the chain, has test ether, and a channel. */
async function over(town, node) {
  const person = await town.memberBy({ rpc: node.url, second: node.second ?? "" });
  await person.pay(town.network.shop, "0.001", "the first");
  return person;
}

export const OWN_TOWN = {
  /** The page is open, and answers; nobody touches it. */
  async hubCheats(town) {
    const person = await town.member();
    const { account } = await ask(person, "status");
    const before = await town.etherOf(account);
    const { due, by } = await cheats(town, person, ["tower"]);
    check(same(by, account), "the hub registers an old state; the open page answers");
    await person.channelIs("disputed");
    await town.later(CHALLENGE_SECONDS);
    await isPaid(town, person, account, before, due);
    check(true, "… and gets all that is its own");
    check(person.faults.length === 0, `no faults: ${person.faults}`);
  },

  /** The page is closed until all is over: the tower answers. */
  async hubCheatsWhileClosed(town) {
    const person = await town.member();
    const { account } = await ask(person, "status");
    const before = await town.etherOf(account);
    const first = async () => {
      await person.page.getByText("watches all of it").waitFor();
      await person.page.close();
    };
    const { due, by } = await cheats(town, person, [], { first });
    check(!same(by, account), "with the page closed a tower answers");
    await town.later(CHALLENGE_SECONDS);
    await opened(person);
    await isPaid(town, person, account, before, due);
    check(true, "… and the page gets all that is its own when it is opened again");
  },

  /** The page is closed when it happens, nobody watches, and it is opened again in time. */
  async hubCheatsWhileAway(town) {
    const person = await town.member();
    const { account } = await ask(person, "status");
    const before = await town.etherOf(account);
    const [first, then] = [() => person.page.close(), () => opened(person)];
    const { due, by } = await cheats(town, person, ["tower"], { first, then });
    check(same(by, account), "nobody watches, and the page is opened again in time: it answers");
    await town.later(CHALLENGE_SECONDS);
    await isPaid(town, person, account, before, due);
    check(true, "… and gets all that is its own");
  },

  /** The money is a wallet's: the page's key answers without a prompt, from its own ether. */
  async hubCheatsWithWallet(town) {
    const [owner, other] = (await town.chain("eth_accounts")).slice(7, 9);
    const wallet = new TestWallet(town.network.rpc, [owner, other]);
    const person = await Person.at(town.browser, town.url);
    await reachable(person);
    await wallet.installIn(person.context);
    await person.visit();
    await person.begin("pw", "Test wallet");
    await person.openChannel();
    await person.go("Settings");
    await person.press("Give it 0.01 ETH");
    await person.page.locator('[data-test="purse-has"]', { hasText: "0.01" }).waitFor();
    wallet.prompts = [];
    const before = await town.etherOf(owner);
    const { due, by } = await cheats(town, person, ["tower"]);
    check(!same(by, owner), "the page's key answers for a wallet's account");
    await town.later(CHALLENGE_SECONDS);
    await isPaid(town, person, owner, before, due);
    check(wallet.prompts.length === 0, `… without a prompt: ${wallet.prompts}`);
  },
};

export const SHARED = {
  /** Whatever its node says: it is told, or makes no difference; nothing is signed or lost, and all
   *  is well once it tells the truth. */
  async nodeLies(town) {
    const node = await new BadNode(town.network.rpc).listen();
    const person = await over(town, node);
    for (const lie of Object.keys(LIES)) {
      const before = await own(person);
      node.be(lie);
      for (let block = 0; block < LIED_BLOCKS && !(await isTold(person)); block += 1) {
        await town.chain("evm_mine");
        const { looks } = node;
        await until("another look", () => node.looks > looks + 1);
      }
      const told = await isTold(person);
      check(
        told || (await own(person)) >= before,
        `a node that ${lie}: ${told ? "told" : "makes no difference"}`,
      );
      node.be("good");
      await seesAgain(town, person);
      check((await own(person)) >= before, "… and nothing is lost");
      await person.pay(town.network.shop, LITTLE, "after a lie");
    }
    await again(person);
    await person.pay(town.network.shop, LITTLE, "after all lies");
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
      await person.startPaying(town.network.shop, LITTLE, `it is ${mood}`);
      node.be("good");
      await seesAgain(town, person);
      await person.page.locator('[data-test="paid"]').waitFor();
      await person.pay(town.network.shop, LITTLE, `it was ${mood}`);
      check(true, `a node that is ${mood}, and comes back`);
    }
    node.be("gone");
    await again(person);
    await person.page.getByText("the chain is not seen").first().waitFor();
    node.be("good");
    await person.pay(town.network.shop, LITTLE, "begun without a chain");
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
      await person.pay(town.network.shop, LITTLE, `after one ${lie}`);
      check(true, `of two nodes one ${lie}: told`);
    }
    node.be("gone");
    await person.pay(town.network.shop, LITTLE, "with one");
    await again(person);
    await person.pay(town.network.shop, LITTLE, "begun with one");
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
