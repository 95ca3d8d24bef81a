/** Which language the page speaks, and whether it is light or dark: kept in the browser. */
import { de } from "./de";
import { en, type Words } from "./en";
import { translated } from "./node";

const CATALOGUES = { en, de } satisfies Record<string, Words>;
export type Language = keyof typeof CATALOGUES;
export type Theme = keyof Words["settings"]["themes"];

/** As each calls itself. */
export const LANGUAGES: readonly [Language, string][] = [
  ["en", "English"],
  ["de", "Deutsch"],
];
export const THEMES: readonly Theme[] = ["system", "light", "dark"];

const KEPT = "perun looks";

/** The first that the browser asks for and that is there. */
function asked(): Language {
  for (const tag of navigator.languages) {
    const [name = ""] = tag.toLowerCase().split("-");
    if (name in CATALOGUES) return name as Language;
  }
  return "en";
}

class Looks {
  #kept = $state<{ language?: Language; theme?: Theme }>({});

  constructor() {
    try {
      const { language, theme } = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as {
        language?: Language;
        theme?: Theme;
      };
      if (language !== undefined && language in CATALOGUES) this.#kept.language = language;
      if (theme !== undefined && THEMES.includes(theme)) this.#kept.theme = theme;
    } catch {
      // Then as the browser has it.
    }
    this.#show();
  }

  get language(): Language {
    return this.#kept.language ?? asked();
  }

  get words(): Words {
    return CATALOGUES[this.language];
  }

  get theme(): Theme {
    return this.#kept.theme ?? "system";
  }

  speak(language: Language): void {
    this.#keep({ ...this.#kept, language });
  }

  be(theme: Theme): void {
    this.#keep({ ...this.#kept, theme });
  }

  #keep(chosen: { language?: Language; theme?: Theme }): void {
    this.#kept = chosen;
    try {
      localStorage.setItem(KEPT, JSON.stringify(chosen));
    } catch {
      // Then for as long as this tab lives.
    }
    this.#show();
  }

  #show(): void {
    document.documentElement.lang = this.language;
    document.documentElement.dataset.theme = this.theme;
  }
}

export const looks = new Looks();

/** What a code of the node's is called; itself if it has no name yet. */
export function named(table: Record<string, string>, code: string): string {
  return table[code] ?? code;
}

/** A sentence of the node's, in the language that the page speaks, if its catalogue has it. */
export function said(text: string): string {
  return translated(text, looks.language);
}
