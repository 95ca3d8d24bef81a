/** The same page over a daemon's node: `perun wallet` has printed the link. */
import { check, Person } from "./people.mjs";

export async function livesWithDaemon(browser, link, payer) {
  const shop = await Person.at(browser, link);
  await shop.visit();
  await shop.heading("Activity").waitFor();
  check(!shop.page.url().includes("code"), "the link's code does not stay in the address");
  const request = await shop.request("0.0007", "for the daemon");
  await payer.pay(request, "");
  await shop.go("Home");
  await shop.page.locator(".amount.in", { hasText: "0.0007" }).first().waitFor();
  await shop.page.reload();
  await shop.page.locator(".amount.in", { hasText: "0.0007" }).first().waitFor();
  check(true, "a daemon is paid, seen in the page, and again after a reload");

  const thief = await Person.at(browser, link);
  await thief.visit();
  await thief.page.getByText("is good once, and was used").waitFor();
  check(true, "the link is good once");
  check(shop.faults.length === 0, `no faults: ${shop.faults}`);
}
