/** Boards that are clicked: against a robot, and between two pages that a link brings together. */
import { check } from "./people.mjs";

/** Cells of tic-tac-toe that win, else hinder, else are free: as good as anybody plays it. */
const LINES = ["123", "456", "789", "147", "258", "369", "159", "357"];

function best(own, theirs, free) {
  for (const side of [own, theirs]) {
    for (const line of LINES) {
      const open = [...line].filter((cell) => !side.includes(cell));
      if (open.length === 1 && free.includes(open[0])) return open[0];
    }
  }
  return [..."519376428"].find((cell) => free.includes(cell));
}

/** Invites somebody, who is a button or an address. */
export async function invites(person, game, to, stake) {
  await person.go("Play");
  await person.page.locator('[name="game"]').selectOption(game);
  if (to.startsWith("perun1")) await person.page.locator('[name="player"]').fill(to);
  else await person.press(to);
  await person.page.locator('[name="stake"]').fill(stake);
  await person.press("Invite");
}

/** The newest game on the screen. */
const newest = (person) => person.page.locator('[data-test="game"]').first();

/** It is so far: its state, and whose turn it is. */
export function standsAt(person, state, turn) {
  const wanted = `[data-state="${state}"]${turn === undefined ? "" : `[data-turn="${turn}"]`}`;
  return person.page.locator(`[data-test="game"]${wanted}`).first().waitFor();
}

async function cells(person) {
  const found = await newest(person).locator("[data-cell]").all();
  const sides = { you: [], them: [], nobody: [] };
  for (const one of found) {
    const side = await one.getAttribute("class");
    const name = await one.getAttribute("data-cell");
    for (const who of Object.keys(sides)) if (side.includes(who)) sides[who].push(name);
  }
  return sides;
}

/** Until the end of the game, moving whenever it is our turn. */
async function playsItOut(person) {
  for (;;) {
    const turn = person.page.locator(
      '[data-test="game"][data-turn="you"]:has(.board button:not(.still)), [data-test="game"][data-state="over"]',
    );
    await turn.first().waitFor();
    if ((await newest(person).getAttribute("data-state")) === "over") return;
    const { you, them, nobody } = await cells(person);
    const cell = newest(person).locator(`[data-cell="${best(you, them, nobody)}"]`);
    await cell.click();
    await cell.and(person.page.locator(".you")).waitFor();
  }
}

/** @param alice has a channel with the hub, and so has @param bob */
export async function playGames(alice, bob) {
  await invites(alice, "TicTacToe", "The player here", "0.001");
  await standsAt(alice, "playing", "you");
  const focused = newest(alice).locator('[data-cell="1"]');
  await focused.focus();
  await alice.page.keyboard.press("ArrowRight");
  await alice.page.keyboard.press("ArrowDown");
  await alice.page.keyboard.press("Enter");
  await newest(alice).locator('[data-cell="5"].you').waitFor();
  check(true, "a cell is reached and taken by the keyboard");
  await playsItOut(alice);
  const end = await newest(alice).locator('[data-test="said"]').innerText();
  check(/won|lost|draw/.test(end), `a game with the robot ends: ${end}`);

  await alice.go("Play");
  await alice.page.locator('[name="game"]').selectOption("TicTacToe");
  await alice.page.locator('[name="stake"]').fill("0.002");
  await alice.press("Make a link");
  const link = await alice.page.locator('[data-test="game-link"]').innerText();
  await bob.follow(link);
  check((await bob.page.locator('[name="stake"]').inputValue()) === "0.002", "a link fills it in");
  await bob.press("Invite");
  await alice.go("Home");
  await alice.page.locator('[data-test="game-waits"]').getByRole("button").click();
  await newest(alice).getByRole("button", { name: "Play", exact: true }).click();
  await standsAt(bob, "playing", "you");
  await newest(bob).locator('[data-cell="1"]').click();
  await standsAt(alice, "playing", "you");
  await alice.page.reload();
  await alice.unlock("a password");
  await alice.go("Play");
  await standsAt(alice, "playing", "you");
  await newest(alice).locator('[data-cell="4"]').click();
  for (const [person, cell] of [
    [bob, "2"],
    [alice, "5"],
    [bob, "3"],
  ]) {
    await standsAt(person, "playing", "you");
    await newest(person).locator(`[data-cell="${cell}"]:not(.still)`).click();
  }
  await alice.page.getByText("You have lost 0.002 ETH").waitFor();
  await bob.page.getByText("You have won 0.002 ETH").waitFor();
  check(true, "two pages play, one reloads in between, and the loser pays");
  await standsAt(alice, "over");
  await newest(alice).getByRole("button", { name: "Once more" }).click();
  await standsAt(bob, "asked");
  await newest(bob).getByRole("button", { name: "Play", exact: true }).click();
  await standsAt(alice, "playing", "you");
  check(true, "and once more, where who came second begins");
  await newest(alice).locator('[data-cell="5"]').click();
  await standsAt(bob, "playing", "you");
  await newest(alice).getByRole("button", { name: "Offer a draw" }).click();
  await newest(alice).getByText("It stands until they move.").waitFor();
  await newest(bob).getByRole("button", { name: "Take the draw" }).click();
  for (const person of [alice, bob]) {
    await newest(person).getByText("A draw", { exact: true }).waitFor();
    await standsAt(person, "over");
  }
  check(true, "a draw is offered and taken, and each has its stake again");
}
