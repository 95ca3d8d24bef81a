/** Times and lengths of time, for people. */
import { looks } from "../../text/language.svelte";

/** The hour if it is today, else the day as well. */
export function when(seconds: number): string {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(
    place(),
    today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" },
  );
}

/** So many seconds from now, to the minute, as a field for a time has it: the hours here. */
export function later(seconds: number): string {
  const then = new Date(Date.now() + seconds * 1000);
  const here = new Date(then.getTime() - then.getTimezoneOffset() * 60_000);
  return here.toISOString().slice(0, "2026-12-31T23:59".length);
}

/** The second that such a field says; undefined if it says none. */
export function second(text: string): number | undefined {
  const found = new Date(text).getTime() / 1000;
  return Number.isNaN(found) ? undefined : Math.floor(found);
}

/** The country's habits where the language is the browser's: 24 hours or twice 12. */
function place(): string {
  const { language } = looks;
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;
}
