/** Assets by the names that people use: ether, and the tokens that the node knows. */

/** What the node calls ether. */
export const ETHER = `0x${"0".repeat(40)}`;
/** As people write the unit. */
export const ETH = "ETH";

/** How an asset's amounts are read. A symbol is what a stranger wrote: text, nothing else. */
export interface Token {
  asset: string;
  symbol: string;
  decimals: number;
}

const AS_ETHER: Token = { asset: ETHER, symbol: ETH, decimals: 18 };

class Tokens {
  /** Those that the node has a name for. */
  known = $state.raw<readonly Token[]>([]);

  /** All that can be chosen from. */
  get all(): readonly Token[] {
    return [AS_ETHER, ...this.known];
  }

  /** One without a name is told in its smallest unit, with the address of its contract. */
  of(asset: string): Token {
    const lower = asset.toLowerCase();
    return (
      this.all.find((one) => one.asset.toLowerCase() === lower) ?? {
        asset,
        symbol: `${asset.slice(0, 6)}…${asset.slice(-4)}`,
        decimals: 0,
      }
    );
  }
}

export const tokens = new Tokens();
