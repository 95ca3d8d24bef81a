/** Money as people read it. Everywhere else it is a decimal string in the smallest unit. */

import { looks } from "../text/language.svelte";
import { worth } from "./worth.svelte";

const ETHER = 18;
/** As people write the unit. */
export const ETH = "ETH";
/** Less than this is not told in digits. */
const LEAST = "0.00000001";

/** Wei as ether: at most eight digits behind the point, never rounded up. */
export function ether(wei: string): string {
  const [sign, whole, rest] = split(wei);
  const shown = rest.slice(0, 8).replace(/0+$/, "");
  if (shown === "" && rest !== "" && whole === "0") return `${sign && "−"}<${LEAST}`;
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${sign && "−"}${grouped}${shown && "."}${shown}`;
}

/** The same, with its unit, and what that is in money where a price is known. */
export function eth(wei: string): string {
  const money = worth.of(wei);
  return `${ether(wei)} ${ETH}${money && ` (${looks.words.worth.about(money)})`}`;
}

/** Every digit of it, as it is typed: for a field that somebody pays from. */
export function exact(wei: string): string {
  const [sign, whole, rest] = split(wei);
  return `${sign}${whole}${rest && "."}${rest}`;
}

function split(wei: string): [sign: string, whole: string, rest: string] {
  const digits = wei.replace("-", "").padStart(ETHER + 1, "0");
  const rest = digits.slice(-ETHER).replace(/0+$/, "");
  return [wei.startsWith("-") ? "-" : "", digits.slice(0, -ETHER), rest];
}

/** What somebody has typed, in wei; undefined if it is no amount. */
export function wei(text: string): string | undefined {
  const found = /^(\d{1,12})(?:[.,](\d{0,18}))?$/.exec(text.trim());
  if (found === null) return undefined;
  const [, whole = "", rest = ""] = found;
  const digits = (whole + rest.padEnd(ETHER, "0")).replace(/^0+/, "");
  return digits === "" ? undefined : digits;
}

/** The sum of amounts. */
export function sum(amounts: readonly string[]): string {
  return amounts.reduce((all, one) => all + BigInt(one), 0n).toString();
}
