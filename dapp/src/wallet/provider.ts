/** What a wallet is to a page (EIP-1193), and how wallets make themselves known (EIP-6963). */

export interface Provider {
  request(asked: { method: string; params?: readonly unknown[] }): Promise<unknown>;
  on?(event: string, listener: (value: unknown) => void): void;
}

export interface Wallet {
  /** Reverse domain name, the same in every session. */
  rdns: string;
  name: string;
  /** A `data:` address of a picture; empty if it is none. */
  icon: string;
  provider: Provider;
}

interface Announced {
  info: { uuid: string; name: string; icon: string; rdns: string };
  provider: Provider;
}

const LONGEST_NAME = 40;

/** Tells of each wallet of this browser, once; those that are loaded late, too. */
export function discover(found: (wallet: Wallet) => void): void {
  const known = new Set<string>();
  window.addEventListener("eip6963:announceProvider", (event) => {
    const said = (event as CustomEvent<Partial<Announced>>).detail;
    const { info, provider } = said;
    if (info === undefined || typeof provider?.request !== "function") return;
    const rdns = String(info.rdns);
    if (known.has(rdns)) return;
    known.add(rdns);
    const icon = String(info.icon).startsWith("data:image/") ? info.icon : "";
    found({ rdns, name: String(info.name).slice(0, LONGEST_NAME), icon, provider });
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
}

/** A refusal of a wallet: its code (EIP-1193, EIP-1474) and its words. */
export class WalletRefused extends Error {
  constructor(
    readonly code: number,
    text: string,
  ) {
    super(text);
    this.name = "WalletRefused";
  }
}

const LONGEST_TEXT = 200;

export async function ask(
  provider: Provider,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  try {
    return await provider.request({ method, params });
  } catch (error) {
    // Whatever a wallet throws: an error, a plain object, a text.
    const { code, message } = (typeof error === "object" && error !== null ? error : {}) as {
      code?: unknown;
      message?: unknown;
    };
    const text = typeof message === "string" ? message : String(error);
    throw new WalletRefused(typeof code === "number" ? code : 0, text.slice(0, LONGEST_TEXT));
  }
}

/** Accounts that the page may see; `connect`: the wallet asks its user if there is none yet. */
export async function accountsOf(provider: Provider, connect: boolean): Promise<string[]> {
  const found = await ask(provider, connect ? "eth_requestAccounts" : "eth_accounts");
  const all = Array.isArray(found) ? found : [];
  return all.filter((one): one is string => /^0x[0-9a-fA-F]{40}$/.test(String(one)));
}

export async function chainOf(provider: Provider): Promise<number> {
  return Number(await ask(provider, "eth_chainId"));
}
