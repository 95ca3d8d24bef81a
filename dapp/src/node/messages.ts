/** What window and worker say to each other; the application interface goes through as text. */

/** What a node of an account in a wallet asks of it (`perun/page/prompts.py`, `signer.py`). */
export type WalletQuestion =
  | {
      kind: "send";
      key: string;
      title: string;
      chain: number;
      from: string;
      until: number | null;
      /** What the contract pulls from the account; `0`: nothing but the calls' ether. */
      pulls: string;
      asset: string;
      calls: { to: string; data: string; value: string; gas?: string }[];
    }
  | {
      kind: "sign";
      key: string;
      title: string;
      chain: number;
      from: string;
      until: null;
      data: object;
      why: string;
    }
  | { kind: "over"; key: string };

/** A wallet of this browser, and its account that owns the money. */
export interface WalletChosen {
  rdns: string;
  account: string;
}

/** A store of these words, as a hub keeps it. */
export interface KeptStore {
  store: number;
  channels: number;
  /** What the chain would pay, by asset. */
  amounts: Record<string, string>;
  /** Seconds since the store itself was heard of. */
  idle: number;
}

/** A token, and what our account has of it outside channels. */
export interface HeldToken {
  asset: string;
  symbol: string;
  decimals: number;
  has: string;
}

/** How a dispute would end (`perun/page/rehearsal.py`). */
export interface Scene {
  name: "vanished" | "newest" | "answered" | "unanswered";
  /** Why the contracts refuse to play it; empty: they do not. */
  refusal: string;
  ours: string;
  theirs: string;
  /** Of ours, what comes when the dispute is decided, right after `deadline`. */
  soon: string;
  deadline: number;
  until: number;
  gas: number;
}

export interface Rehearsal {
  scenes: Scene[];
  gasPrice: string;
}

export type ToWorker =
  /** Another tab is to let the store go, for this one. */
  | { kind: "takeOver" }
  | {
      kind: "create";
      phrase: string;
      password: string;
      rpc: string;
      hub: string;
      tower: string;
      /** Of a store that the hub keeps, to be brought back; 0: none. */
      store: number;
      wallet?: WalletChosen;
    }
  /** What does the hub keep of these words? */
  | { kind: "look"; phrase: string; rpc: string; hub: string }
  /** The store is of no more use: all of its money is out. */
  | { kind: "beginAnew" }
  | { kind: "walletSaid"; number: number; text: string }
  /** `rpc`: another node of the chain from now on, or two, a space between; empty: the one of
   *  before. */
  | { kind: "unlock"; password: string; rpc: string }
  | { kind: "newPhrase" }
  /** A token that is dealt in from now on. */
  | { kind: "token"; asset: string }
  | { kind: "rehearse"; channel: string }
  | { kind: "faucet" }
  | { kind: "rpc"; text: string };

/** Where the worker is:
 *  - `elsewhere`: another tab has the store, this one waits for it;
 *  - `handedOver`: another tab has taken it, this worker has ended;
 *  - `empty`: there is no store yet; `locked`: there is one, and it waits for its password;
 *  - `failed`: the node has stopped for good, what was stored is safe.
 *  Of a daemon: `gone`, nobody answers at present; `token`: it does not know us yet. */
export type Stage =
  | "starting"
  | "elsewhere"
  | "handedOver"
  | "empty"
  | "locked"
  | "running"
  | "failed"
  | "gone"
  | "token";

export interface Told {
  name: string;
  text: string;
  do: string;
}

export type FromWorker =
  | {
      kind: "stage";
      stage: Stage;
      node?: string;
      account?: string;
      /** Of the page's key, which can pay for disputes if the account is a wallet's. */
      purse?: string;
      why?: string;
      settings?: { rpc: string; hub: string; wallet?: WalletChosen };
    }
  | { kind: "wallet"; number: number; text: string }
  | { kind: "refused"; error: Told }
  | { kind: "phrase"; phrase: string }
  | { kind: "found"; found: KeptStore[] }
  | { kind: "faucet"; text: string }
  /** What was answered and told, one a line. */
  | { kind: "rpc"; lines: string }
  | { kind: "rehearsed"; channel: string; played?: Rehearsal; error?: Told }
  | { kind: "token"; asset: string; token?: HeldToken; error?: Told };
