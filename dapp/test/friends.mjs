/** Two pages open a channel by a link, and everything that people do with one. */
import { check } from "./people.mjs";
import { isGood } from "./screens.mjs";

/** What disputes about her newest channel would bring her, who was paid 0.002, and gave 0.001 back. */
async function rehearses(alice, wallet) {
  await alice.go("Channels");
  const channel = alice.page.locator("main section").last();
  await channel.getByText("What would happen if").click();
  await channel.getByRole("button", { name: "Rehearse a dispute" }).click();
  const scene = (name) => channel.locator(`[data-test="scene-${name}"]`);
  // What she has given back they can show, if they are there.
  for (const [name, ours] of Object.entries({ vanished: 22, newest: 21, answered: 21 })) {
    await scene(name).getByText(`0.0${ours} ETH for you`).waitFor();
  }
  await scene("unanswered").getByText("0.02 ETH").first().waitFor();
  await scene("unanswered").getByText("0.001 ETH less than the truth").waitFor();
  check(wallet.taken("eth_sendTransaction") === 0, "a dispute is rehearsed, and nothing is sent");
  await alice.page.setViewportSize({ width: 360, height: 780 });
  await isGood(alice, "a rehearsal");
  await alice.page.setViewportSize({ width: 1280, height: 720 });
}

/** @param bob has his money in a wallet; @param wallet that one */
export async function areFriends(alice, bob, wallet) {
  await alice.go("Open");
  await alice.press("Make an invitation");
  const link = await alice.page.locator('[data-test="invitation"]').innerText();
  wallet.prompts = [];
  await bob.follow(link);
  await bob.page.locator('[name="amount"]').fill("0.05");
  await bob.page.locator('[name="receive"]').fill("0.02");
  await bob.press("What does it cost?");
  await bob.press("Open it");
  await alice.go("Home");
  await alice.page.locator('[data-test="offer"]').waitFor();
  await alice.press("Accept");
  await bob.go("Channels");
  await bob.channelHas("theirs", "0.02");
  check(wallet.taken("eth_sendTransaction") === 1, "a friend's channel costs one prompt");

  const address = await alice.address();
  await bob.keepContact("Alice", address);
  await bob.pay("Alice", "0.001", "to a friend");
  await alice.go("Home");
  const income = alice.activity("to a friend");
  await income.waitFor();
  await income.getByRole("button", { name: "Give back" }).click();
  await income.getByRole("button", { name: /^Give .* back now/ }).click();
  await bob.go("Home");
  await bob.page.getByText("given back").first().waitFor();
  check(true, "a friend is paid, and gives it back");
  await bob.activity("to a friend").getByRole("button", { name: "Pay again" }).click();
  await bob.confirmPaying();
  check(wallet.taken("eth_sendTransaction") === 0, "no prompt for any of it");

  await bob.go("Channels");
  await bob.page.getByText("What both have signed").first().click();
  await bob.page.locator('[data-test="proofs"]').getByText("their statement").first().waitFor();
  check(true, "states and statements are shown with their signatures");
  await rehearses(alice, wallet);
  await bob.moveMoney("Top up", "0.01", "Put it in");
  check(wallet.taken("eth_sendTransaction") === 1, "one prompt tops it up");
  await bob.moveMoney("Withdraw", "0.005", "Take it out");
  await bob.press("Close");
  await bob.press("Close together now?");
  await bob.heading("No channel yet").waitFor();
  check(true, "topped up, withdrawn from, and closed");
}
