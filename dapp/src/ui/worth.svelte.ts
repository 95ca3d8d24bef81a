/** What ether is worth in money, as the user says it: no page asks strangers for a price. */
import { looks } from "../text/language.svelte";

export const CURRENCIES = ["EUR", "USD", "GBP", "CHF", "JPY"] as const;
export type Currency = (typeof CURRENCIES)[number];

const KEPT = "perun worth";
const ETHER = 10n ** 18n;
/** Digits that are kept of a price: enough for whoever calculates with the last cent. */
const SCALE = 1_000_000n;
const TYPED = /^(\d{1,9})(?:[.,](\d{0,6}))?$/;

class Worth {
  /** Of one ETH, as it was typed; empty: not known. */
  price = $state("");
  currency = $state<Currency>("EUR");

  constructor() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as {
        price?: string;
        currency?: Currency;
      };
      if (kept.price !== undefined && TYPED.test(kept.price)) this.price = kept.price;
      if (kept.currency !== undefined && CURRENCIES.includes(kept.currency)) {
        this.currency = kept.currency;
      }
    } catch {
      // Then it is not known.
    }
  }

  say(price: string, currency: Currency): void {
    this.price = price.trim();
    this.currency = currency;
    try {
      localStorage.setItem(KEPT, JSON.stringify({ price: this.price, currency }));
    } catch {
      // Then for as long as this tab lives.
    }
  }

  /** An amount in money, such as `€12.50`; empty if no price is known. */
  of(wei: string): string {
    const found = TYPED.exec(this.price);
    if (found === null || !/^-?\d+$/.test(wei)) return "";
    const [, whole = "", rest = ""] = found;
    const scaled = BigInt(whole) * SCALE + BigInt(rest.padEnd(6, "0"));
    const millionths = (BigInt(wei) * scaled) / ETHER;
    return new Intl.NumberFormat(looks.language, {
      style: "currency",
      currency: this.currency,
    }).format(Number(millionths) / Number(SCALE));
  }
}

export const worth = new Worth();
