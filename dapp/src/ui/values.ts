/** What the node answers, as far as screens show it (`docs/reference/openrpc.json`). */

import type { Token } from "./tokens.svelte";

export interface Network {
  rpc?: string;
  hub?: string;
  /** Who watches while the page is closed. */
  tower?: string;
  name?: string;
  shop?: string;
  /** Somebody to play with. */
  player?: string;
  /** `daemon`: the page is served for one. */
  node?: string;
}

export interface Status {
  node: string;
  account: string;
  outside: string | null;
  exitOnly: boolean;
  network: { caip2: string; name: string; test: boolean; tokens: Token[] };
  block: { number: number; time: number; fresh: boolean };
  balances: { asset: string; free: string; locked: string; guaranteed: string; credit: string }[];
  problems: { code: string; text: string; do: string }[];
}

export interface Channel {
  id: string;
  peer: string;
  name: string;
  asset: string;
  phase: string;
  busy: boolean;
  free: string;
  locked: string;
  guaranteed: string;
  peerFree: string;
  challenge: number;
  machines: number;
  /** What is being done with it, and how far that is. */
  doing: string;
}

/** What both have signed about a channel. */
export interface Proofs {
  channel: string;
  role: "alice" | "bob";
  version: number;
  net: string;
  nanos: string;
  ownHoldings: string;
  peerHoldings: string;
  ownSignature: string;
  peerSignature: string;
  locks: Lock[];
}

export interface Lock {
  id: string;
  kind: string;
  end: string | null;
  own: string;
  peer: string;
  until: number;
  sent: string;
  sentSignature: string;
  received: string;
  receivedSignature: string;
}

export interface Contact {
  node: string;
  name: string;
  host: string;
  account: string | null;
}

/** Something a peer wants that waits for our word. */
export interface Offer {
  id: string;
  kind: "channel" | "proposal" | "game" | "deal" | "bet";
  peer: string;
  asset: string;
  text: string;
  ownAmount: string;
  peerAmount: string;
  loses: string;
}

export interface Cell {
  name: string;
  text: string;
  owner: "you" | "them" | "nobody";
  types: string;
  ends: string[];
}

export interface Grid {
  columns: number;
  cells: Cell[];
  clicks: number;
  checkered: boolean;
}

export interface Game {
  id: string;
  /** `flip`, or the rules contract's name. */
  game: string;
  title: string;
  peer: string;
  name: string;
  asset: string;
  state: "invited" | "asked" | "opening" | "playing" | "onChain" | "finished" | "over";
  why: string;
  amount: string;
  peerAmount: string;
  invited: boolean;
  turn: "you" | "them" | "nobody";
  board: string;
  grid: Grid | null;
  how: string;
  until: number;
  gain: string | null;
  began: boolean;
  draw: "you" | "them" | "nobody";
}

/** Payments of a tick each. */
export interface Stream {
  id: string;
  peer: string;
  name: string;
  asset: string;
  /** Whether we pay in it; else we are paid. */
  pays: boolean;
  state: "invited" | "opening" | "open" | "stopping" | "onChain" | "decided" | "over";
  tickAmount: string;
  paid: string;
  left: string;
  ticks: number;
  /** Seconds between what the node pays by itself; 0: nothing. */
  every: number;
  why: string;
}

/** A bet on a price. */
export interface Bet {
  id: string;
  peer: string;
  name: string;
  asset: string;
  reporter: string;
  feed: string;
  time: number;
  strike: string;
  slope: string;
  state: "invited" | "asked" | "opening" | "open" | "onChain" | "decided" | "over";
  amount: string;
  peerAmount: string;
  prices: string[];
  gain: string | null;
  why: string;
}

/** What can be played. */
export interface Rules {
  game: string;
  title: string;
}

export interface Tower {
  name: string;
  channels: number;
  sees: number;
  trouble: string;
}

export interface Backup {
  name: string;
  entry: number;
  of: number;
  trouble: string;
}

export interface Payment {
  id: string;
  direction: "in" | "out";
  peer: string;
  asset: string;
  amount: string;
  step: string;
  why: string;
  text: string;
  created: number;
  refunds: string | null;
  refunded: string;
}

export interface Exposure {
  channel: string;
  asset: string;
  have: string;
  alone: string;
  peer: string;
  reason: string;
  aloneBy: number;
  aloneGas: number;
  onlineBy: number | null;
  watchers: { name: string }[];
}

export interface Opening {
  asset: string;
  amount: string;
  peerAmount: string;
  fee: string;
  gas: number;
  gasPrice: string;
  challenge: number;
  worst: string;
  worstAfter: number;
  countsAfter: string;
  state: string;
  why: string;
}
