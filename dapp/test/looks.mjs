/** Languages, light and dark, and amounts in money. */
import { check, Person } from "./people.mjs";

/** What this screen says, of what people can press. */
const buttons = (person) => person.page.getByRole("navigation").innerText();

/** @param alice whose page is open, in English */
export async function looksAsOneLikes(browser, url, alice) {
  const greta = await Person.at(browser, url, { locale: "de-AT", colorScheme: "dark" });
  await greta.visit();
  await greta.heading("Wessen Geld?").waitFor();
  check((await greta.language()) === "de", "a page speaks the browser's language");
  check((await greta.ground()) === (await greta.ground("dark")), "and is dark where that is");
  await greta.context.close();

  await alice.go("Settings");
  await alice.page.locator('[name="price"]').fill("2500");
  await alice.page.locator('[name="currency"]').selectOption("USD");
  await alice.go("Pay");
  await alice.page.locator('[name="amount"]').fill("0.01");
  await alice.page.getByText("≈ $25.00").waitFor();
  await alice.go("Settings");
  await alice.page.locator('[name="price"]').fill("");
  check(true, "amounts are told in money where a price is known");
  const before = await buttons(alice);
  await alice.page.locator('[name="language"]').selectOption("de");
  await alice.page.getByRole("heading", { name: "Einstellungen" }).waitFor();
  check((await buttons(alice)) !== before, "another language is chosen");
  await alice.page.locator('[name="theme"]').selectOption("dark");
  await alice.page.reload();
  await alice.heading("Willkommen zurück").waitFor();
  check((await alice.ground()) === (await alice.ground("dark")), "and dark, kept over a reload");
  await alice.page.getByLabel("Passwort").fill("a password");
  await alice.press("Entsperren");
  await alice.heading("Verlauf").waitFor();
  await alice.go("Einstellungen");
  await alice.page.locator('[name="theme"]').selectOption("system");
  await alice.page.locator('[name="language"]').selectOption("en");
  check((await buttons(alice)) === before, "and back");
}
