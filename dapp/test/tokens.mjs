/** A channel in a token, from its address to the last unit: with and without calls that go together. */
import { readFileSync } from "node:fs";
import { check, PATIENCE, until } from "./people.mjs";
import { isGood } from "./screens.mjs";

const ARTIFACT = new URL("../../tests/contracts/artifacts/NamedToken.json", import.meta.url);
const { bytecode } = JSON.parse(readFileSync(ARTIFACT, "utf8"));
/** Text that looks like a symbol, and would be struck through where text is not text. */
export const SYMBOL = "<s>USD</s>";
const DIGITS = 6;
const APPROVE = "0x095ea7b3";
const word = (value) => BigInt(value).toString(16).padStart(64, "0");

/** Tokens on a chain whose node sends for its own accounts. */
export class Token {
  /** @param node asks the chain's node */
  static async deploy(node, symbol = SYMBOL, digits = DIGITS) {
    const [from] = await node("eth_accounts", []);
    const text = Buffer.from(symbol).toString("hex");
    const data = [word(64), word(digits), word(text.length / 2), text.padEnd(64, "0")].join("");
    const token = new Token();
    Object.assign(token, { node, from });
    token.asset = (await token.#send({ data: bytecode + data })).contractAddress;
    return token;
  }

  async #send(call) {
    const hash = await this.node("eth_sendTransaction", [{ from: this.from, ...call }]);
    let receipt;
    await until("its block", async () => {
      receipt = await this.node("eth_getTransactionReceipt", [hash]);
      return receipt !== null;
    });
    return receipt;
  }

  mint(to, units) {
    return this.#send({ to: this.asset, data: `0x40c10f19${word(to)}${word(units)}` });
  }

  async of(account) {
    const call = { to: this.asset, data: `0x70a08231${word(account)}` };
    return BigInt(await this.node("eth_call", [call, "latest"]));
  }

  /** Waits until an account has so much. */
  async becomes(account, units) {
    const end = Date.now() + PATIENCE;
    for (let has = -1n; has !== units; has = await this.of(account)) {
      if (Date.now() > end) throw new Error(`${account} has ${has}, not ${units}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async allowed(owner, spender) {
    const call = { to: this.asset, data: `0xdd62ed3e${word(owner)}${word(spender)}` };
    return BigInt(await this.node("eth_call", [call, "latest"]));
  }
}

/** Looks a token up by its address, on *Open*. */
export async function takesToken(person, asset) {
  await person.page.getByText("Another token").click();
  await person.page.locator('[name="token"]').fill(asset);
  await person.press("Take it");
}

const choose = (person, symbol) =>
  person.page.locator('[name="asset"]').selectOption({ label: symbol });

async function pays(person, symbol, to, amount, note) {
  await person.go("Pay");
  await choose(person, symbol);
  await person.pay(to, amount, note);
}

/** @param bob has his money in a wallet, alice in the page; they have no channel with each other */
export async function payInTokens(alice, bob, wallet) {
  const node = wallet.node.bind(wallet);
  const token = await Token.deploy(node);
  const [mine] = wallet.accounts;
  await alice.go("Settings");
  const hers = await alice.page.locator("dd.mono").first().innerText();
  await token.mint(mine, 1_000_500_000n);
  await token.mint(hers, 50_000_000n);

  await alice.go("Open");
  await takesToken(alice, mine);
  await alice.page.getByText("is no token").waitFor();
  check(true, "an address without a token is none");
  await alice.page.locator('[name="token"]').fill(token.asset);
  await alice.press("Take it");
  const held = (person, text) =>
    person.page.locator('[data-test="held"]', { hasText: text }).waitFor();
  await held(alice, `50 ${SYMBOL}`);
  const other = await Token.deploy(node, "ETH", 0);
  await takesToken(alice, other.asset);
  const names = await alice.page.locator('[name="asset"] option').allInnerTexts();
  check(names.filter((name) => name === "ETH").length === 1, `one ether only: ${names}`);
  await alice.press("Make an invitation");
  const link = await alice.page.locator('[data-test="invitation"]').innerText();

  await bob.follow(link);
  await takesToken(bob, token.asset);
  await held(bob, `1 000.5 ${SYMBOL}`.replace(" ", "\u202f"));
  await bob.page.locator('[name="amount"]').fill("1000.500001");
  const cost = bob.page.getByRole("button", { name: "What does it cost?" });
  check(await cost.isDisabled(), "not more than the account has");
  await bob.page.locator('[name="amount"]').fill("0.0000001");
  check(await cost.isDisabled(), "not less than the token's smallest unit");
  await bob.page.locator('[name="amount"]').fill("100.5");
  wallet.prompts = [];
  wallet.sent = [];
  await bob.press("What does it cost?");
  await bob.page.getByText(`100.5 ${SYMBOL}`).first().waitFor();
  await bob.press("Open it");
  await bob.page.locator('[data-test="begun"]').waitFor();
  await bob.channelIs("open");
  check(wallet.prompts.join() === "wallet_sendCalls", `one prompt in all: ${wallet.prompts}`);
  const [[approval, deposit]] = wallet.sent;
  check(
    approval.to.toLowerCase() === token.asset.toLowerCase() &&
      approval.data === `${APPROVE}${word(deposit.to)}${word(100_500_000n)}`,
    "exactly the deposit is allowed, to the contract",
  );
  check((await token.allowed(mine, deposit.to)) === 0n, "and nothing stays allowed");
  check((await token.of(mine)) === 900_000_000n, "the token's units are in the channel");

  const address = await alice.address();
  await pays(bob, SYMBOL, address, "1.25", "a tea");
  await alice.go("Home");
  await alice.page.locator(".amount.in", { hasText: `1.25 ${SYMBOL}` }).waitFor();
  await alice.go("Request");
  await choose(alice, SYMBOL);
  const request = await alice.request("2.000001", "a cake");
  await bob.pay(request, "");
  await alice.go("Home");
  await alice.page.locator(".amount.in", { hasText: `2.000001 ${SYMBOL}` }).waitFor();
  const balances = await alice.page.locator('[data-test="balance"]').allInnerTexts();
  check(
    balances.some((text) => text === `3.250001 ${SYMBOL}`),
    `one number for each asset: ${balances}`,
  );
  check((await alice.page.locator("main s").count()) === 0, "a symbol is text");
  check(wallet.prompts.join() === "wallet_sendCalls", "no prompt for payments");

  await alice.page.setViewportSize({ width: 360, height: 780 });
  for (const name of ["Home", "Request", "Open", "Channels"]) {
    await alice.go(name);
    await isGood(alice, `${name} with tokens`);
  }
  await alice.page.setViewportSize({ width: 1280, height: 720 });
  const channel = alice.page.locator("main section", { hasText: SYMBOL });
  await channel.getByRole("button", { name: "Top up" }).click();
  await channel.locator('[name="move"]').fill("50");
  await channel.getByRole("button", { name: "Put it in" }).click();
  await channel.locator("figcaption strong", { hasText: /^50$/ }).waitFor();
  check((await token.of(hers)) === 0n, "an account of the page's own puts in tokens, too");

  wallet.batching = false;
  wallet.prompts = [];
  await bob.go("Channels");
  await bob.moveMoney("Top up", "10", "Put it in");
  check(
    wallet.prompts.join() === "eth_sendTransaction,eth_sendTransaction",
    `a wallet that cannot batch is asked twice: ${wallet.prompts}`,
  );
  check((await token.allowed(mine, deposit.to)) === 0n, "and nothing stays allowed");
  wallet.batching = true;
  await bob.moveMoney("Withdraw", "5.5", "Take it out");
  await token.becomes(mine, 895_500_000n);
  check(true, "withdrawn in token units");
  await bob.press("Close");
  await bob.press("Close together now?");
  await bob.heading("No channel yet").waitFor();
  await token.becomes(mine, 997_249_999n);
  await token.becomes(hers, 53_250_001n);
  check(true, "closed: what was not paid is back, and what was paid is there");
}
