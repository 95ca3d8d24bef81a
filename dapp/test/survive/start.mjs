/** How long a page takes to be of use; on a quiet machine, or by `chrt -f 1`. */
import { check, Person } from "../people.mjs";

const TIMES = 5;

/** Since this person's worker was begun, in ms: Python is there, and all of ours is imported. */
async function marks(person) {
  const [worker] = person.page.workers();
  return worker.evaluate(async () => {
    const of = (name) => performance.getEntriesByName(name)[0];
    while (of("ready") === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    return [of("python").startTime, of("ready").startTime];
  });
}

const shown = (all) => all.map((ms) => Math.round(ms)).join(", ");

/** @param beginning has the page open, with nothing in it or locked */
async function measured(person, what, beginning) {
  const began = performance.now();
  await beginning();
  await person.page.locator("h1").first().waitFor();
  const seen = performance.now() - began;
  const [python, ready] = await marks(person);
  const all = performance.now() - began;
  console.log(
    `${what}: seen ${shown([seen])}; worker: Python ${shown([python])}, ready ${shown([ready])}; all ${shown([all])} ms`,
  );
  return all;
}

export const SHARED = {
  async startsSoon(town) {
    const person = await Person.at(town.browser, town.url);
    const cold = await measured(person, "cold", () => person.visit());
    await person.begin("pw");
    const warm = [];
    const unlocked = [];
    for (let time = 0; time < TIMES; time += 1) {
      warm.push(await measured(person, "warm", () => person.page.reload()));
      const began = performance.now();
      await person.unlock("pw");
      unlocked.push(performance.now() - began);
    }
    console.log(`from the password to what is mine: ${shown(unlocked)} ms`);
    check(cold > 0 && warm.length === TIMES, "it was measured");
  },
};
