/** Has an account of a wallet send calls: together where the wallet can (EIP-5792), else one by one.
 *
 *  One prompt for each transaction, and one in all for calls that go together.
 */
import { ask, WalletRefused, type Provider } from "./provider";

export interface Call {
  to: string;
  data: string;
  value: string;
  gas?: string;
}

/** What a wallet says that can batch, and does not after all: its user wants no upgrade of the
 *  account, it cannot do it in one transaction, or does not know the method. Nothing was sent. */
const NOT_TOGETHER = [5750, 5760, -32601, 4200];
/** Where a wallet says what it can on every chain. */
const EVERYWHERE = "0x0";
const LOOK_MS = 1_000;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_MS));

/** The hash of the last call's transaction. Raises `WalletRefused` for whatever does not go. */
export async function sendCalls(
  provider: Provider,
  from: string,
  chain: number,
  calls: readonly Call[],
): Promise<string> {
  if (calls.length > 1 && (await canBatch(provider, from, chain))) {
    try {
      return await sendTogether(provider, from, chain, calls);
    } catch (error) {
      const code = error instanceof WalletRefused ? error.code : 0;
      if (!NOT_TOGETHER.includes(code)) throw error;
    }
  }
  let hash = "";
  for (const [place, call] of calls.entries()) {
    hash = String(await ask(provider, "eth_sendTransaction", [{ from, ...call }]));
    if (place < calls.length - 1) await mined(provider, hash);
  }
  return hash;
}

async function canBatch(provider: Provider, from: string, chain: number): Promise<boolean> {
  const id = `0x${chain.toString(16)}`;
  try {
    const found = (await ask(provider, "wallet_getCapabilities", [from, [id]])) as Record<
      string,
      { atomic?: { status?: string }; atomicBatch?: { supported?: boolean } } | undefined
    >;
    const here = found[id] ?? found[EVERYWHERE];
    const { status } = here?.atomic ?? {};
    return status === "supported" || status === "ready" || here?.atomicBatch?.supported === true;
  } catch {
    return false;
  }
}

async function sendTogether(
  provider: Provider,
  from: string,
  chain: number,
  calls: readonly Call[],
): Promise<string> {
  const said = await ask(provider, "wallet_sendCalls", [
    {
      version: "2.0.0",
      chainId: `0x${chain.toString(16)}`,
      from,
      atomicRequired: true,
      calls: calls.map(({ to, data, value }) => ({ to, data, value })),
    },
  ]);
  const id = typeof said === "string" ? said : (said as { id: string }).id;
  for (;;) {
    const { status, receipts } = (await ask(provider, "wallet_getCallsStatus", [id])) as {
      status: number;
      receipts?: { transactionHash: string }[];
    };
    const last = receipts?.at(-1)?.transactionHash;
    if (status === 200 && last !== undefined) return last;
    if (status >= 400) throw new WalletRefused(status, "the calls failed, and nothing was done");
    await pause();
  }
}

async function mined(provider: Provider, hash: string): Promise<void> {
  for (;;) {
    const receipt = (await ask(provider, "eth_getTransactionReceipt", [hash])) as {
      status?: string;
    } | null;
    if (receipt !== null && receipt !== undefined) {
      if (receipt.status === "0x1") return;
      throw new WalletRefused(0, "the transaction failed on chain");
    }
    await pause();
  }
}
