/** Why a wallet does not do what it is asked for, and the way on. */
import type { Problem } from "../state.svelte";
import type { Trouble } from "../../wallet/state.svelte";

const short = (account: string): string => `${account.slice(0, 8)}…${account.slice(-4)}`;

/** @param wanted the account that owns the money */
export function sentence(trouble: Trouble, wallet: string, wanted: string): Problem {
  switch (trouble.name) {
    case "gone":
      return {
        text: `${wallet} is not in this browser now`,
        hint: "switch it on, load this page again, and ask again; until then payments go on",
      };
    case "refused":
      return {
        text: `You said no in ${wallet}: nothing was sent`,
        hint: "ask again when you like",
      };
    case "account":
      return {
        text: trouble.shown
          ? `${wallet} shows account ${short(trouble.shown)}, the money belongs to ${short(wanted)}`
          : `${wallet} shows no account to this page`,
        hint: `choose ${short(wanted)} in ${wallet}, then ask again`,
      };
    case "network":
      return { text: `${wallet} is on another network`, hint: "switch it there, then ask again" };
    case "busy":
      return {
        text: `${wallet} has a question open already`,
        hint: `answer it in ${wallet}, then ask again`,
      };
    case "signed":
      return { text: trouble.text, hint: `choose ${short(wanted)} in ${wallet}, then ask again` };
    case "other":
      return { text: `${wallet}: ${trouble.text}`, hint: "nothing is lost; ask again" };
  }
}
