/** Why a wallet does not do what it is asked for, and the way on. */
import { looks } from "../../text/language.svelte";
import type { Trouble } from "../../wallet/state.svelte";
import type { Problem } from "../state.svelte";

const short = (account: string): string => `${account.slice(0, 8)}…${account.slice(-4)}`;

/** @param wanted the account that owns the money */
export function sentence(trouble: Trouble, wallet: string, wanted: string): Problem {
  const t = looks.words.wallet;
  const chooseIt = t.accountDo(wallet, short(wanted));
  switch (trouble.name) {
    case "gone":
      return { text: t.gone(wallet), hint: t.goneDo };
    case "refused":
      return { text: t.refused(wallet), hint: t.refusedDo };
    case "account": {
      const { shown } = trouble;
      const text = shown ? t.account(wallet, short(shown), short(wanted)) : t.noAccount(wallet);
      return { text, hint: chooseIt };
    }
    case "network":
      return { text: t.network(wallet), hint: t.networkDo };
    case "busy":
      return { text: t.busy(wallet), hint: t.busyDo(wallet) };
    case "signed":
      return { text: trouble.text, hint: chooseIt };
    case "other":
      return { text: t.other(wallet, trouble.text), hint: t.otherDo };
  }
}
