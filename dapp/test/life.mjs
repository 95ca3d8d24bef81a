/** The life of a wallet in a page, against a network that runs: node test/life.mjs URL PATRON DAEMON PRICE */
import { makeABet } from "./bets.mjs";
import { codesAreRead } from "./codes.mjs";
import { areFriends } from "./friends.mjs";
import { playGames } from "./games.mjs";
import { looksAsOneLikes } from "./looks.mjs";
import { opensWithoutNetwork } from "./offline.mjs";
import { Person, check, launch } from "./people.mjs";
import { everyScreenIsGood, isGood } from "./screens.mjs";
import { payInTokens } from "./tokens.mjs";
import { livesWithDaemon } from "./with_daemon.mjs";
import { livesWithWallet } from "./with_wallet.mjs";

const [url, patron, daemon, price] = process.argv.slice(2);
const network = await (await fetch(new URL("/network.json", url))).json();
const browser = await launch();

async function paidByPatron(request) {
  const response = await fetch(patron, { method: "POST", body: request });
  return response.text();
}

async function life() {
  const alice = await Person.at(browser, url);
  await alice.visit();
  await alice.begin("a password");
  check(true, "a new wallet is there");
  await alice.takeTestEther();
  await alice.openChannel();
  check(true, "a channel with the hub is open");
  await alice.go("Home");
  await alice.page.getByText("watches all of it").waitFor();
  check(true, "a tower watches while the page is closed");

  await alice.pay(network.shop, "0.001", "first coffee");
  check(true, "the shop is paid over the hub");
  await paidByPatron(await alice.request("0.02", "from the patron"));
  await alice.go("Home");
  await alice.page.locator(".amount.in", { hasText: "0.02" }).first().waitFor();
  check(true, "the patron has paid a request");

  await handsOver(alice);

  await alice.startPaying(network.shop, "0.002", "while reloading");
  await alice.page.reload();
  await alice.unlock("a password");
  await alice.pay(network.shop, "0.003", "after the reload");
  await alice.go("Home");
  await alice.activity("after the reload").waitFor();
  check((await alice.activity("after the reload").count()) === 1, "it goes on after a reload");
  check((await alice.activity("while reloading").count()) <= 1, "nothing is paid twice");

  await alice.page.reload();
  await alice.page.getByLabel("Password").fill("another");
  await alice.press("Unlock");
  await alice.page.getByText("the password is wrong").waitFor();
  check(true, "another password opens nothing");
  const other = `${network.rpc}/`;
  await alice.page.getByText("Ask another node").click();
  await alice.page.locator('[name="rpc"]').fill(other);
  await alice.unlock("a password");
  await alice.go("Settings");
  await alice.press("Lock");
  await alice.unlock("a password");
  await alice.go("Settings");
  check(
    (await alice.page.locator('[data-test="endpoint"]').innerText()) === other,
    "kept: its RPC",
  );

  await looksAsOneLikes(browser, url, alice);

  const bob = await Person.at(browser, url);
  await bob.visit();
  await bob.begin("");
  await bob.takeTestEther();
  await bob.openChannel();
  const request = await bob.request("0.005", "lunch");
  await alice.pay(request, "");
  await bob.go("Home");
  await bob.page.locator(".amount.in", { hasText: "0.005" }).waitFor();
  const back = await alice.request("0.004", "change");
  await bob.pay(back, "");
  await alice.go("Home");
  await alice.page.locator(".amount.in", { hasText: "0.004" }).waitFor();
  check(true, "two browsers pay each other");
  await codesAreRead(alice, bob);
  await playGames(alice, bob);
  await makeABet(alice, bob, JSON.parse(price));
  check(
    alice.faults.length + bob.faults.length === 0,
    `no faults: ${[...alice.faults, ...bob.faults]}`,
  );
  alice.stranger = network.shop;
  await everyScreenIsGood(alice, isGood, [360]);
  await alice.page.setViewportSize({ width: 1280, height: 720 });
  await opensWithoutNetwork(alice);
  return alice;
}

/** One tab signs; another shows, takes over when its user says so, and gives back when it closes. */
async function handsOver(alice) {
  const first = alice.page;
  await alice.visit();
  await alice.heading("Open in another tab").waitFor();
  await alice.press("Use it here");
  await alice.unlock("a password");
  await first.getByRole("heading", { name: "Open in another tab" }).waitFor();
  await alice.page.close();
  alice.page = first;
  await alice.unlock("a password");
  check(true, "a second tab takes over, and gives back");
}

/** Stops the worker for ever right after its n-th write is on disk, before anything leaves. */
function stopAfterWrites(worker, writes) {
  return worker.evaluate((left) => {
    const { flush } = FileSystemSyncAccessHandle.prototype;
    FileSystemSyncAccessHandle.prototype.flush = function () {
      flush.call(this);
      left -= 1;
      if (left === 0) for (;;);
    };
  }, writes);
}

async function killedBetweenWriteAndSend(alice) {
  for (const writes of [1, 2, 3]) {
    const note = `killed after ${writes}`;
    const [worker] = alice.page.workers();
    await stopAfterWrites(worker, writes);
    await alice.startPaying(network.shop, "0.0001", note);
    await alice.page.waitForTimeout(1_500);
    await alice.page.close();
    await alice.visit();
    await alice.unlock("a password");
    await alice.pay(network.shop, "0.0001", `alive after ${writes}`);
    await alice.go("Home");
    await alice.activity(`alive after ${writes}`).waitFor();
    const paid = await alice.activity(note).count();
    check(paid <= 1, `killed after write ${writes}: paid ${paid} times`);
  }
}

/** The browser's storage is gone; the words bring the money back out of what the hub keeps. */
async function comesBackByWords(browser, url, alice) {
  await alice.go("Settings");
  await alice.page.getByText(/^has copy (\d+) of \1$/).waitFor();
  await alice.context.close();
  const again = await Person.at(browser, url);
  await again.visit();
  const found = await again.findsByWords(alice.phrase);
  check(/1 channel; .* 0\.\d+ ETH/.test(found), "words find a channel");
  await again.getsAllOut();
  check(true, "and bring it to the chain, by one button");
  check(again.faults.length === 0, `no faults: ${again.faults}`);
}

try {
  const alice = await life();
  // Its link is good for ten minutes.
  await livesWithDaemon(browser, daemon, alice);
  const { bob, wallet } = await livesWithWallet(browser, url, network);
  await areFriends(alice, bob, wallet);
  await payInTokens(alice, bob, wallet);
  await killedBetweenWriteAndSend(alice);
  await comesBackByWords(browser, url, alice);
  console.log("all is well");
} catch (error) {
  // What people would have seen.
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    console.log(
      await page
        .locator("body")
        .innerText()
        .catch(() => "gone"),
    );
  }
  throw error;
} finally {
  await browser.close();
}
