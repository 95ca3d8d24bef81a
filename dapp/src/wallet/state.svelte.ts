/** The wallet that owns the money, and what it is asked for: shown until it is done. */
import type { WalletQuestion } from "../node/messages";
import { bringTo } from "./network";
import {
  accountsOf,
  ask,
  chainOf,
  discover,
  WalletRefused,
  type Provider,
  type Wallet,
} from "./provider";
import { sendCalls } from "./send";

/** Why a wallet does not do what it is asked for, by name; the screen has the sentences. */
export type Trouble =
  | { name: "gone" }
  | { name: "refused" }
  | { name: "account"; shown: string }
  | { name: "network" }
  | { name: "busy" }
  | { name: "signed"; text: string }
  | { name: "other"; text: string };

export interface Prompt {
  question: WalletQuestion;
  asking: boolean;
  trouble?: Trouble;
}

const REFUSED = 4001;
const ASKED_ALREADY = -32002;
const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

class Wallets {
  found = $state.raw<Wallet[]>([]);
  /** `rdns` of the one that was chosen; empty: none. */
  chosen = $state("");
  /** The account that owns the money; empty: the page has its own. */
  account = $state("");
  /** What the wallet shows at present; undefined: not known. */
  shown = $state<string | undefined>(undefined);
  chain = $state<number | undefined>(undefined);
  prompts = $state<Prompt[]>([]);
  network = { name: "", rpc: "" };
  readonly #answers = new Map<string, (answer: object) => void>();
  #heard = "";

  constructor() {
    discover((wallet) => {
      this.found = [...this.found, wallet];
      if (wallet.rdns === this.chosen) void this.look();
    });
  }

  get wallet(): Wallet | undefined {
    return this.found.find((wallet) => wallet.rdns === this.chosen);
  }

  get name(): string {
    return this.wallet?.name ?? this.chosen;
  }

  /** The wallet's account, after its user has agreed. Raises `WalletRefused`. */
  async connect(wallet: Wallet): Promise<string> {
    const [account] = await accountsOf(wallet.provider, true);
    if (account === undefined) throw new WalletRefused(REFUSED, "no account");
    this.use(wallet.rdns, account);
    return account;
  }

  use(rdns: string, account: string): void {
    this.chosen = rdns;
    this.account = account;
    void this.look();
  }

  /** What the wallet shows now, without asking anybody; and from now on. */
  async look(): Promise<void> {
    const { wallet } = this;
    if (wallet === undefined) return;
    if (this.#heard !== wallet.rdns) {
      this.#heard = wallet.rdns;
      wallet.provider.on?.("accountsChanged", (accounts) => {
        this.shown = Array.isArray(accounts) ? String(accounts[0] ?? "") : undefined;
      });
      wallet.provider.on?.("chainChanged", (chain) => (this.chain = Number(chain)));
    }
    try {
      [this.shown] = await accountsOf(wallet.provider, false);
      this.chain = await chainOf(wallet.provider);
    } catch {
      this.shown = this.chain = undefined;
    }
  }

  /** Shows a question of the node, and answers when it is done or not wanted any more. */
  take(question: WalletQuestion): Promise<object> {
    if (question.kind === "over") {
      this.#end(question.key, { over: true });
      return Promise.resolve({ over: true });
    }
    // A newer one about the same replaces it.
    this.#end(question.key, { over: true });
    const why = question.kind === "sign" ? question.why : "";
    this.prompts.push({
      question,
      asking: false,
      ...(why ? { trouble: { name: "signed", text: why } as Trouble } : {}),
    });
    if (!why) void this.run(question.key);
    return new Promise((resolve) => this.#answers.set(question.key, resolve));
  }

  /** Asks the wallet, now. */
  async run(key: string): Promise<void> {
    const prompt = this.prompts.find((one) => one.question.key === key);
    if (prompt === undefined || prompt.asking) return;
    prompt.asking = true;
    delete prompt.trouble;
    try {
      const answer = await this.#ask($state.snapshot(prompt.question));
      if (answer !== undefined) this.#end(key, answer);
      else prompt.trouble = { name: "gone" };
    } catch (error) {
      prompt.trouble = troubleOf(error);
    } finally {
      prompt.asking = false;
      void this.look();
    }
  }

  /** A plain payment of the account, with one prompt. Raises whatever `troubleOf` names. */
  async send(chain: number, to: string, units: string): Promise<void> {
    const provider = this.wallet?.provider;
    if (provider === undefined) throw new WalletGone();
    await this.#bring(provider, this.account, chain);
    const value = `0x${BigInt(units).toString(16)}`;
    await sendCalls(provider, this.account, chain, [{ to, data: "0x", value }]);
  }

  /** Has the wallet show our account and be on our network. */
  async #bring(provider: Provider, account: string, chain: number): Promise<void> {
    const accounts = await accountsOf(provider, true);
    if (!accounts.some((one) => same(one, account))) throw new AccountOff(accounts[0] ?? "");
    if (!(await bringTo(provider, { chain, ...this.network }))) throw new NetworkOff();
  }

  async #ask(question: WalletQuestion): Promise<object | undefined> {
    const provider = this.wallet?.provider;
    if (provider === undefined || question.kind === "over") return undefined;
    await this.#bring(provider, question.from, question.chain);
    if (question.kind === "send") {
      const { from, chain, calls } = question;
      return { hash: await sendCalls(provider, from, chain, calls) };
    }
    const params = [question.from, JSON.stringify(question.data)];
    return { signature: await ask(provider, "eth_signTypedData_v4", params) };
  }

  #end(key: string, answer: object): void {
    const resolve = this.#answers.get(key);
    this.#answers.delete(key);
    this.prompts = this.prompts.filter((one) => one.question.key !== key);
    resolve?.(answer);
  }
}

class AccountOff extends Error {
  constructor(readonly shown: string) {
    super();
  }
}
class NetworkOff extends Error {}
class WalletGone extends Error {}

export function troubleOf(error: unknown): Trouble {
  if (error instanceof AccountOff) return { name: "account", shown: error.shown };
  if (error instanceof WalletGone) return { name: "gone" };
  if (error instanceof NetworkOff) return { name: "network" };
  if (error instanceof WalletRefused) {
    if (error.code === REFUSED) return { name: "refused" };
    if (error.code === ASKED_ALREADY) return { name: "busy" };
  }
  return { name: "other", text: error instanceof Error ? error.message : String(error) };
}

export const wallets = new Wallets();
