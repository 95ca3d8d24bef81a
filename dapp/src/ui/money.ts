/** Money as people read it. Everywhere else it is a decimal string in the smallest unit. */

import { looks } from "../text/language.svelte";
import { ETHER, tokens } from "./tokens.svelte";
import { worth } from "./worth.svelte";

/** Digits behind the point that are shown; less than the last of them is not told in digits. */
const SHOWN = 8;

/** An amount of an asset without its unit: never rounded up. */
export function digits(units: string, asset = ETHER): string {
  const [sign, whole, rest] = split(units, asset);
  const shown = rest.slice(0, SHOWN).replace(/0+$/, "");
  if (shown === "" && rest !== "" && whole === "0") {
    return `${sign && "−"}<0.${"1".padStart(SHOWN, "0")}`;
  }
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${sign && "−"}${grouped}${shown && "."}${shown}`;
}

/** The same, with its unit; and what ether is in money, where a price is known. */
export function money(units: string, asset = ETHER): string {
  const price = asset === ETHER ? worth.of(units) : "";
  const { symbol } = tokens.of(asset);
  return `${digits(units, asset)} ${symbol}${price && ` (${looks.words.worth.about(price)})`}`;
}

/** Amounts of several assets in one sentence. */
export function together(amounts: readonly { asset: string; amount: string }[]): string {
  const said = amounts.map(({ asset, amount }) => money(amount, asset));
  return new Intl.ListFormat(looks.language).format(said);
}

/** Every digit of it, as it is typed: for a field that somebody pays from. */
export function exact(units: string, asset = ETHER): string {
  const [sign, whole, rest] = split(units, asset);
  return `${sign}${whole}${rest && "."}${rest}`;
}

function split(units: string, asset: string): [sign: string, whole: string, rest: string] {
  const { decimals } = tokens.of(asset);
  const all = units.replace("-", "").padStart(decimals + 1, "0");
  const point = all.length - decimals;
  const rest = all.slice(point).replace(/0+$/, "");
  return [units.startsWith("-") ? "-" : "", all.slice(0, point), rest];
}

/** What somebody has typed, in the smallest unit; undefined if it is no amount of the asset. */
export function typed(text: string, asset = ETHER): string | undefined {
  const { decimals } = tokens.of(asset);
  const found = /^(\d{1,12})(?:[.,](\d{0,36}))?$/.exec(text.trim());
  if (found === null) return undefined;
  const [, whole = "", rest = ""] = found;
  if (rest.length > decimals) return undefined;
  const all = (whole + rest.padEnd(decimals, "0")).replace(/^0+/, "");
  return all === "" ? undefined : all;
}

/** The sum of amounts. */
export function sum(amounts: readonly string[]): string {
  return amounts.reduce((all, one) => all + BigInt(one), 0n).toString();
}

/** What there is of each asset; ether first, also where there is nothing at all. */
export function byAsset<T extends { asset: string }>(
  of: readonly T[],
): { asset: string; all: T[] }[] {
  const found = new Map<string, T[]>();
  for (const one of of) found.set(one.asset, [...(found.get(one.asset) ?? []), one]);
  if (found.size === 0) found.set(ETHER, []);
  return [...found]
    .map(([asset, all]) => ({ asset, all }))
    .sort((one, other) => Number(other.asset === ETHER) - Number(one.asset === ETHER));
}
