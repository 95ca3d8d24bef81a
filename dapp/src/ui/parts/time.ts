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

/** The country's habits where the language is the browser's: 24 hours or twice 12. */
function place(): string {
  const { language } = looks;
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;
}
