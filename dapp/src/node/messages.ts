/** What window and worker say to each other; the application interface goes through as text. */

export type ToWorker =
  | { kind: "create"; phrase: string; password: string; rpc: string; hub: string }
  | { kind: "unlock"; password: string }
  | { kind: "newPhrase" }
  | { kind: "faucet" }
  | { kind: "rpc"; text: string };

/** Where the worker is:
 *  - `elsewhere`: another tab has the store, this one must not;
 *  - `empty`: there is no store yet; `locked`: there is one, and it waits for its password;
 *  - `failed`: the node has stopped for good, what was stored is safe. */
export type Stage = "starting" | "elsewhere" | "empty" | "locked" | "running" | "failed";

export interface Told {
  name: string;
  text: string;
  do: string;
}

export type FromWorker =
  | { kind: "stage"; stage: Stage; node?: string; account?: string; why?: string }
  | { kind: "refused"; error: Told }
  | { kind: "phrase"; phrase: string }
  | { kind: "faucet"; text: string }
  | { kind: "rpc"; text: string };
