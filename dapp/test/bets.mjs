/** A bet on a price that one page offers another, and what its reporter has signed. */
import { check } from "./people.mjs";

/** As a field for a time has it, here. */
function typed(seconds) {
  const date = new Date(seconds * 1000);
  const here = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return here.toISOString().slice(0, 16);
}

const newest = (person, state) =>
  person.page.locator(`[data-test="bet"][data-state="${state}"]`).first();

/** The form as somebody fills it in. */
export async function fillsIn(person, to, { feed, time, reporter }, strike) {
  await person.go("Play");
  const form = person.page.locator('[data-test="new-bet"]');
  if ((await form.getAttribute("open")) === null) await form.locator("summary").click();
  const fields = { betTo: to, betMine: "0.003", betTheirs: "0.002", betFeed: feed };
  const rest = { betAt: typed(time), betStrike: strike, betReporter: reporter };
  for (const [name, text] of Object.entries({ ...fields, ...rest })) {
    await person.page.locator(`[name="${name}"]`).fill(text);
  }
}

/** @param said what the reporter has signed: a price above 3000 */
export async function makeABet(alice, bob, said) {
  await fillsIn(alice, await bob.address(), said, "3000");
  await alice.press("Offer it");
  await newest(alice, "invited").waitFor();
  await bob.go("Home");
  await bob.page.locator('[data-test="bet-waits"]').getByRole("button").click();
  await newest(bob, "asked").getByText("you win below").waitFor();
  await newest(bob, "asked").getByText(said.reporter, { exact: false }).waitFor();
  await newest(bob, "asked").getByRole("button", { name: "Accept" }).click();
  check(true, "a bet is offered, and read before it is agreed to");
  await newest(alice, "open").getByText("The price is signed").click();
  const field = alice.page.locator('[name="betPrice"]');
  await field.fill("no price");
  const show = newest(alice, "open").getByRole("button", { name: "Show it to them" });
  check(await show.isDisabled(), "what is no price is none");
  await field.fill(JSON.stringify(said));
  await show.click();
  await newest(alice, "over").getByText("You have won 0.002 ETH").waitFor();
  await bob.go("Play");
  await newest(bob, "over").getByText("You have lost 0.002 ETH").waitFor();
  check(true, "a signed price is shown, and the bet is paid");
}
