/** Whether all that people read is in catalogues, and every catalogue says all of it: node test/text.mjs */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "svelte/compiler";

const SOURCES = join(import.meta.dirname, "..", "src");
const SHOWN = new Set(["alt", "aria-label", "aria-description", "placeholder", "title", "label"]);
const LETTER = /\p{L}/u;
/** A sentence, or a word as it begins one. */
const PROSE = /\p{L}{2,} +\p{L}|^\p{Lu}\p{Ll}{2,}$/u;
/** Names and units, that are the same in every language, and what the browser keeps things under. */
const NAMES = new Set(["Perun", "ETH", "perun daemon", "perun looks", "perun worth"]);

const faults = [];

function files(folder) {
  return readdirSync(join(SOURCES, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return files(path);
    return /\.(svelte|ts)$/.test(path) ? [path] : [];
  });
}

function tree(path) {
  const text = readFileSync(join(SOURCES, path), "utf8");
  return parse(path.endsWith(".ts") ? `<script lang="ts">${text}</script>` : text, {
    modern: true,
  });
}

/** Calls `visit` for every node below this one, with those above it, nearest first. */
function walk(node, visit, above = []) {
  if (node === null || typeof node !== "object") return;
  if (Array.isArray(node)) {
    for (const one of node) walk(one, visit, above);
    return;
  }
  if (typeof node.type === "string") visit(node, above);
  const next = typeof node.type === "string" ? [node, ...above] : above;
  for (const [key, value] of Object.entries(node)) {
    if (!["css", "leadingComments", "trailingComments", "parent"].includes(key)) {
      walk(value, visit, next);
    }
  }
}

function said(node) {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  return node.type === "TemplateElement" ? node.value.cooked : undefined;
}

/** Whether this text comes out of an expression in the markup, rather than being compared or asked with. */
function isShown(above) {
  for (const node of above) {
    if (["BinaryExpression", "CallExpression", "MemberExpression"].includes(node.type))
      return false;
    if (node.type === "Attribute") return SHOWN.has(node.name);
    if (node.type === "ExpressionTag") continue;
    if (["Fragment", "RegularElement", "Component"].includes(node.type)) return true;
    if (["Script", "IfBlock", "EachBlock", "SnippetBlock"].includes(node.type)) return false;
  }
  return false;
}

function look(path) {
  const fault = (text) => faults.push(`${path}: ${JSON.stringify(text.trim())} belongs into text/`);
  walk(tree(path), (node, above) => {
    if (node.type === "Text") {
      const [holder] = above;
      const isAttribute = above.find((one) => one.type === "Attribute");
      if (isAttribute && !SHOWN.has(isAttribute.name)) return;
      if (holder !== undefined && LETTER.test(node.data)) fault(node.data);
      return;
    }
    const text = said(node);
    if (text === undefined || !LETTER.test(text) || NAMES.has(text)) return;
    if (above[0]?.type === "ImportDeclaration") return;
    if (isShown(above) || (PROSE.test(text) && !isLabel(above))) fault(text);
  });
}

/** Attributes with classes and the like are read by no person. */
function isLabel(above) {
  const attribute = above.find((one) => one.type === "Attribute");
  return attribute !== undefined && !SHOWN.has(attribute.name);
}

/** Every text of a catalogue by its place: how many values it takes, and what it says. */
function catalogue(language) {
  const texts = new Map();
  const add = (node, place) => {
    if (node.type === "ObjectExpression") {
      for (const one of node.properties) add(one.value, `${place}.${one.key.name}`);
    } else {
      const words = [];
      walk(node, (inner) => words.push(said(inner) ?? ""));
      texts.set(place.slice(1), { takes: node.params?.length ?? 0, says: words.join("").trim() });
    }
  };
  walk(tree(`text/${language}.ts`), (node) => {
    if (node.type === "VariableDeclarator" && node.id.name === language) add(node.init, "");
  });
  return texts;
}

function compare(one, other, name) {
  for (const [place, { takes, says }] of one) {
    const found = other.get(place);
    if (found === undefined) faults.push(`text/${name}.ts does not have ${place}`);
    else if (found.takes !== takes) faults.push(`text/${name}.ts leaves out values of ${place}`);
    else if (found.says === "") faults.push(`text/${name}.ts says nothing at ${place}`);
    else if (found.says === says && / \p{L}+ /u.test(says)) {
      faults.push(`text/${name}.ts has not translated ${place}`);
    }
  }
}

const sources = files("").filter((path) => !path.startsWith("text/"));
for (const path of sources.filter((one) => one.startsWith("ui/"))) look(path);

const english = catalogue("en");
const others = readdirSync(join(SOURCES, "text"))
  .filter((file) => /^[a-z]{2}\.ts$/.test(file) && file !== "en.ts")
  .map((file) => file.slice(0, 2));
for (const language of others) {
  const other = catalogue(language);
  compare(english, other, language);
  for (const place of other.keys()) {
    if (!english.has(place)) faults.push(`text/en.ts does not have ${place}`);
  }
}

const code = sources.map((path) => readFileSync(join(SOURCES, path), "utf8")).join("\n");
for (const place of english.keys()) {
  // Of a table the node's codes choose one, so the table's name has to do.
  const [, name] = place.split(".");
  if (!new RegExp(`\\b${name}\\b`).test(code)) faults.push(`nothing says ${place}`);
}

for (const fault of faults) console.log(fault);
if (english.size < 100) console.log(`only ${english.size} texts were found`);
process.exit(faults.length === 0 && english.size >= 100 ? 0 : 1);
