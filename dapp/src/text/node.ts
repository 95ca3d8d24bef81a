/** What the node says in English, in another language, as far as a catalogue knows the sentence. */
import { node as german } from "./node.de";

type Sentences = readonly (readonly [english: string, other: string])[];
interface Known {
  pattern: RegExp;
  names: string[];
  other: string;
}

/** Sentences in sentences, and no deeper: what is filled in is a stranger's text. */
const DEEPEST = 3;
/** Longer ones are not looked up. */
const LONGEST = 600;
const PLACE = /\{(\w+)\}/g;

const known: Partial<Record<string, Known[]>> = {};

function compiled(sentences: Sentences): Known[] {
  return sentences.map(([english, other]) => {
    const parts = english.split(PLACE);
    const names = parts.filter((_, place) => place % 2 === 1);
    const plain = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const pattern = parts.map((part, place) => (place % 2 === 1 ? "(.+?)" : plain(part))).join("");
    return { pattern: new RegExp(`^${pattern}$`, "s"), names, other };
  });
}

/** The sentence in this language; itself if that is English, or nobody has translated it. */
export function translated(text: string, language: string): string {
  if (language !== "de" || text.length > LONGEST) return text;
  return whole(text, (known[language] ??= compiled(german)), DEEPEST) ?? text;
}

/** A sentence, or what went wrong and what to do about it, with a semicolon between. */
function whole(text: string, sentences: Known[], depth: number): string | undefined {
  if (depth === 0) return undefined;
  const found = one(text, sentences, depth);
  if (found !== undefined) return found;
  const parts = text.split("; ");
  for (let at = parts.length - 1; at > 0; at -= 1) {
    const said = one(parts.slice(0, at).join("; "), sentences, depth);
    const hint = parts.slice(at).join("; ");
    if (said !== undefined) return `${said}; ${whole(hint, sentences, depth - 1) ?? hint}`;
  }
  return undefined;
}

function one(text: string, sentences: Known[], depth: number): string | undefined {
  for (const { pattern, names, other } of sentences) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const values = new Map(names.map((name, place) => [name, found[place + 1] ?? ""]));
    return other.replace(PLACE, (_, name: string) => {
      const value = values.get(name) ?? "";
      return whole(value, sentences, depth - 1) ?? value;
    });
  }
  return undefined;
}
