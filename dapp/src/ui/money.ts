/** Money as people read it. Everywhere else it is a decimal string in the smallest unit. */

const ETHER = 18;

/** Wei as ether: at most eight digits behind the point, never rounded up. */
export function ether(wei: string): string {
  const negative = wei.startsWith("-");
  const digits = wei.replace("-", "").padStart(ETHER + 1, "0");
  const whole = digits.slice(0, -ETHER).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const rest = digits.slice(-ETHER).replace(/0+$/, "");
  const shown = rest.slice(0, 8).replace(/0+$/, "");
  const little = shown === "" && rest !== "" ? "…" : "";
  return `${negative ? "−" : ""}${whole}${shown || little ? "." : ""}${shown}${little}`;
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
