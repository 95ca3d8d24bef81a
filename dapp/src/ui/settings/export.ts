/** All that the node knows of ours, as one file: for a tax office, a court, or a look at home.
 *
 *  Amounts are in the smallest unit; it holds no key, and cannot be taken up again. */
import { page } from "../state.svelte";
import type { Channel, Payment, Proofs } from "../values";

/** Of payments, in one answer. */
const PIECE = 1_000;

async function payments(): Promise<Payment[]> {
  const found = new Map<string, Payment>();
  let before: number | null = null;
  for (;;) {
    const piece: Payment[] = await page.call<Payment[]>("payments", { limit: PIECE, before });
    const known = found.size;
    for (const one of piece) found.set(one.id, one);
    const last = piece.at(-1);
    if (last === undefined || piece.length < PIECE) return [...found.values()];
    // Others of the same second may be left; only if there are none it is gone past.
    before = found.size > known ? last.created + 1 : last.created;
  }
}

/** As JSON. */
export async function everything(): Promise<string> {
  const channels = await page.call<Channel[]>("channels", { ended: true });
  const proofs: Proofs[] = [];
  for (const { id } of channels) {
    // What both signed of a channel that has ended counts for nothing any more.
    await page.call<Proofs>("proofs", { channel: id }).then(
      (found) => proofs.push(found),
      () => undefined,
    );
  }
  const looks = [
    "status",
    "exposure",
    "contacts",
    "requests",
    "games",
    "deals",
    "towers",
    "backups",
  ];
  const others = await Promise.all(looks.map((method) => page.call(method)));
  const named = Object.fromEntries(looks.map((method, at) => [method, others[at]]));
  const content = { ...named, channels, proofs, payments: await payments() };
  return JSON.stringify(content, null, 2);
}
