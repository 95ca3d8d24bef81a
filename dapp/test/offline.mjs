/** Without network: the page opens, and shows what it knows. */
import { check } from "./people.mjs";

export async function opensWithoutNetwork(person) {
  await person.page.evaluate(() => navigator.serviceWorker.ready);
  const before = await person.balance();
  await person.context.setOffline(true);
  await person.page.reload();
  await person.unlock("a password");
  await person.page.getByText("the chain is not seen").first().waitFor();
  check((await person.balance()) === before, `without network it shows ${before}`);
  await person.context.setOffline(false);
  await person.page
    .getByText(/block \d+/)
    .first()
    .waitFor();
  check(true, "and goes on when the network is back");
}
