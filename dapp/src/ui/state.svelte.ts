/** What the screens show. All of it comes from the node; nothing is kept here alone. */
import { CallRefused, WorkerNode } from "../node/client";
import type { FromWorker, Stage, WalletChosen, WalletQuestion } from "../node/messages";
import { wallets } from "../wallet/state.svelte";
import type { Channel, Exposure, Network, Payment, Status } from "./values";

export type Screen = "home" | "open" | "pay" | "request" | "channels" | "settings";

export interface Problem {
  text: string;
  hint: string;
}

const REFRESH_MS = 2_000;
/** As many as the home screen lists. */
const PAYMENTS = 30;

class Page {
  stage = $state<Stage>("starting");
  why = $state("");
  node = $state("");
  account = $state("");
  phrase = $state("");
  faucet = $state("");
  refused = $state<Problem | undefined>(undefined);
  network = $state<Network>({});
  screen = $state<Screen>("home");
  status = $state<Status | undefined>(undefined);
  channels = $state<Channel[]>([]);
  payments = $state<Payment[]>([]);
  exposures = $state<Exposure[]>([]);

  readonly #worker = new WorkerNode(
    (message) => this.#hear(message),
    () => void this.refresh(),
  );

  constructor() {
    void this.#begin();
  }

  async #begin(): Promise<void> {
    try {
      const response = await fetch("/network.json");
      this.network = (await response.json()) as Network;
    } catch {
      this.network = {};
    }
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "stage":
        this.stage = message.stage;
        this.why = message.why ?? "";
        if (message.stage === "running") {
          this.node = message.node ?? "";
          this.account = message.account ?? "";
          wallets.network = {
            name: this.network.name ?? "",
            rpc: message.settings?.rpc ?? "",
          };
          if (message.settings?.wallet !== undefined) {
            const { rdns, account } = message.settings.wallet;
            wallets.use(rdns, account);
          }
          void this.#live();
        }
        return;
      case "refused":
        this.refused = { text: message.error.text, hint: message.error.do };
        return;
      case "phrase":
        this.phrase = message.phrase;
        return;
      case "faucet":
        this.#given(message.text);
        return;
      case "wallet":
        void this.#askWallet(message.number, JSON.parse(message.text) as WalletQuestion);
        return;
      case "rpc":
        return;
    }
  }

  async #askWallet(number: number, question: WalletQuestion): Promise<void> {
    const text = JSON.stringify(await wallets.take(question));
    this.#worker.tell({ kind: "walletSaid", number, text });
  }

  #given(text: string): void {
    let said: { wei?: string; reason?: string } = {};
    try {
      said = JSON.parse(text) as typeof said;
    } catch {
      said = { reason: "nobody answers" };
    }
    this.faucet = said.wei === undefined ? `The faucet gives nothing: ${said.reason}` : "";
    void this.refresh();
  }

  async #live(): Promise<void> {
    try {
      await this.call("subscribe");
    } catch {
      // It is asked every two seconds as well.
    }
    for (;;) {
      await this.refresh();
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
      if (this.stage !== "running") return;
    }
  }

  async refresh(): Promise<void> {
    if (this.stage !== "running") return;
    try {
      const [status, channels, payments, exposure] = await Promise.all([
        this.call<Status>("status"),
        this.call<Channel[]>("channels"),
        this.call<Payment[]>("payments", { limit: PAYMENTS }),
        this.call<{ channels: Exposure[] }>("exposure"),
      ]);
      this.status = status;
      this.channels = channels;
      this.payments = payments;
      this.exposures = exposure.channels;
    } catch (error) {
      this.refused = problem(error);
    }
  }

  call<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    return this.#worker.calls.call<T>(method, params);
  }

  go(screen: Screen): void {
    this.refused = undefined;
    this.screen = screen;
  }

  newPhrase(): void {
    this.#worker.tell({ kind: "newPhrase" });
  }

  create(phrase: string, password: string, rpc: string, hub: string): void {
    const { chosen: rdns, account } = wallets;
    const wallet: WalletChosen | undefined = rdns === "" ? undefined : { rdns, account };
    this.refused = undefined;
    // So that the browser does not clear it to make room; it may say no.
    void navigator.storage.persist();
    this.#worker.tell({
      kind: "create",
      phrase,
      password,
      rpc,
      hub,
      ...(wallet === undefined ? {} : { wallet }),
    });
  }

  unlock(password: string): void {
    this.refused = undefined;
    this.#worker.tell({ kind: "unlock", password });
  }

  askFaucet(): void {
    this.faucet = "asking …";
    this.#worker.tell({ kind: "faucet" });
  }
}

/** What went wrong, in words, and what to do about it. */
export function problem(error: unknown): Problem {
  if (error instanceof CallRefused) return { text: error.message, hint: error.hint };
  return { text: error instanceof Error ? error.message : String(error), hint: "" };
}

export const page = new Page();
