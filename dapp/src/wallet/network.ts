/** Brings a wallet to a network: switches (EIP-3326), and adds it if it is not known (EIP-3085). */
import { ask, chainOf, WalletRefused, type Provider } from "./provider";

export interface NetworkWanted {
  chain: number;
  name: string;
  rpc: string;
}

const UNKNOWN_CHAIN = 4902;
/** As some wallets answer, with 4902 inside. */
const INTERNAL = -32603;

/** Whether the wallet is there now. Raises what it refuses. */
export async function bringTo(provider: Provider, wanted: NetworkWanted): Promise<boolean> {
  if ((await chainOf(provider)) === wanted.chain) return true;
  const chainId = `0x${wanted.chain.toString(16)}`;
  try {
    await ask(provider, "wallet_switchEthereumChain", [{ chainId }]);
  } catch (error) {
    const code = error instanceof WalletRefused ? error.code : 0;
    if (code !== UNKNOWN_CHAIN && code !== INTERNAL) throw error;
    await ask(provider, "wallet_addEthereumChain", [
      {
        chainId,
        chainName: wanted.name || `Chain ${wanted.chain}`,
        rpcUrls: [wanted.rpc],
        nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      },
    ]);
    if ((await chainOf(provider)) !== wanted.chain) {
      await ask(provider, "wallet_switchEthereumChain", [{ chainId }]);
    }
  }
  return (await chainOf(provider)) === wanted.chain;
}
