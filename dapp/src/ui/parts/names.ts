import { money } from "../money";

/** A node id as it fits into a line; names stay as they are. */
export function short(name: string): string {
  return /^perun1[a-z0-9]{40,}/.test(name) ? `${name.slice(0, 12)}…${name.slice(-6)}` : name;
}

/** Words of the node's with node ids in them, as they fit into lines; and amounts of tokens, which it
 *  tells in the smallest unit, as people read them. */
export function shortened(text: string): string {
  return text
    .replace(/perun1[a-z0-9]{40,}/g, short)
    .replace(/\b(\d+) of (0x[0-9a-fA-F]{40})\b/g, (_, units: string, asset: string) =>
      money(units, asset),
    );
}
