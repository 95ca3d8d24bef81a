/** Vite's plugin for Python: Pyodide, and of Python's and Perun's files what a page loads, as
 *  bytecode in one archive, in a folder that is named after all of it.
 *
 *  What is loaded is found out by loading it: Pyodide runs here as it will in the worker.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

import { loadPyodide, type PyodideAPI } from "pyodide";
import type { Plugin } from "vite";

import { cryptoModule } from "../src/node/crypto";

const DAPP = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const ROOT = resolve(DAPP, "..");
const WHEELS = join(DAPP, "node_modules", ".wheels");
const PYODIDE = join(DAPP, "node_modules", "pyodide");
const SOURCES = "/sources";
const PACKAGES = "/lib/python3.14/site-packages";

type Parts = Record<string, Uint8Array>;

/** The wheel of msgspec for Pyodide, by its hash. */
function wheel(): Uint8Array {
  const python = process.env.PYTHON ?? "python3";
  const wanted = ["--require-hashes", "-r", join(DAPP, "bundle", "wheels.txt"), "-d", WHEELS];
  const platform = ["--platform", "pyemscripten_2026_0_wasm32", "--implementation", "cp"];
  const abi = ["--python-version", "314", "--abi", "cp314", "--only-binary=:all:", "--no-deps"];
  execFileSync(python, ["-m", "pip", "download", "-q", ...wanted, ...platform, ...abi], {
    stdio: "inherit",
  });
  const [name] = readdirSync(WHEELS).filter((file) => file.endsWith(".whl"));
  if (name === undefined) throw new Error("no wheel came");
  return readFileSync(join(WHEELS, name));
}

/** The list of BIP-39, of the package that the daemon has it from. */
function words(): Uint8Array {
  const python = process.env.PYTHON ?? "python3";
  const code =
    "from eth_account.hdaccount.mnemonic import Mnemonic as M; " +
    "from eth_account.types import Language as L; print(*M(L.ENGLISH).wordlist)";
  return execFileSync(python, ["-c", code]);
}

/** Python files of the package, and what it reads of compiled contracts. */
function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(__pycache__|dist)$/.test(entry.name) ? [] : sources(path);
    return /\.(py|json)$/.test(entry.name) ? [path] : [];
  });
}

async function bundle(): Promise<Parts> {
  const pyodide = await loadPyodide({ indexURL: PYODIDE });
  for (const path of sources("perun")) {
    const target = `${SOURCES}/${path}`;
    pyodide.FS.mkdirTree(dirname(target));
    pyodide.FS.writeFile(target, readFileSync(join(ROOT, path)));
  }
  pyodide.unpackArchive(new Uint8Array(wheel()), "wheel", { extractDir: PACKAGES });
  lend(pyodide);
  pyodide.runPython(readFileSync(join(DAPP, "bundle", "bundle.py"), "utf8"));
  const bytes = (name: string): Uint8Array => pyodide.FS.readFile(name) as Uint8Array;
  return {
    "python.zip": bytes("/python.zip"),
    "msgspec.bin": bytes("/msgspec.bin"),
    "words.txt": words(),
    "pyodide.asm.wasm": readFileSync(join(PYODIDE, "pyodide.asm.wasm")),
    "pyodide.asm.mjs": readFileSync(join(PYODIDE, "pyodide.asm.mjs")),
  };
}

/** What a worker lends, as far as loading needs it. */
function lend(pyodide: PyodideAPI): void {
  const memory = pyodide as unknown as { _module: { HEAPU8: Uint8Array } };
  pyodide.registerJsModule(
    "perun_js",
    cryptoModule(() => memory._module.HEAPU8),
  );
  const none = (): string => "";
  pyodide.registerJsModule("perun_page", { words: none, say: none, report: none, wallet: none });
}

export function integrity(data: Uint8Array): string {
  return `sha384-${createHash("sha384").update(data).digest("base64")}`;
}

let made: Promise<Parts> | undefined;

export function python(): Plugin {
  const id = "virtual:python";

  const lock = JSON.parse(readFileSync(join(PYODIDE, "pyodide-lock.json"), "utf8")) as {
    info: unknown;
  };
  const parts = (): Promise<Parts> => (made ??= bundle());

  async function folder(): Promise<string> {
    const all = createHash("sha256");
    for (const data of Object.values(await parts())) all.update(data);
    return `python-${all.digest("hex").slice(0, 16)}/`;
  }

  return {
    name: "perun-python",
    resolveId: (name) => (name === id ? id : undefined),
    async load(name) {
      if (name !== id) return undefined;
      const found = await parts();
      const content = {
        folder: `/${await folder()}`,
        lock: JSON.stringify({ info: lock.info, packages: {} }),
        integrity: Object.fromEntries(
          Object.entries(found).map(([file, data]) => [file, integrity(data)]),
        ),
      };
      return `export const bundle = ${JSON.stringify(content)};`;
    },
    async generateBundle() {
      const where = await folder();
      for (const [file, source] of Object.entries(await parts())) {
        this.emitFile({ type: "asset", fileName: where + file, source });
      }
    },
  };
}

/** Beside every file its brotli, for servers that send it instead. The largest are made once: they
 *  take minutes, and are the same as long as Pyodide is. */
export function compressed(): Plugin {
  return {
    name: "perun-brotli",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, found) {
        for (const [fileName, item] of Object.entries(found)) {
          const data = Buffer.from(item.type === "asset" ? item.source : item.code);
          const source = fileName.includes("pyodide.asm") ? kept(data) : brotli(data, 9);
          this.emitFile({ type: "asset", fileName: `${fileName}.br`, source });
        }
      },
    },
  };
}

function brotli(data: Uint8Array, quality: number): Uint8Array {
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: 24 };
  return brotliCompressSync(data, { params });
}

function kept(data: Uint8Array): Uint8Array {
  const folder = join(DAPP, "node_modules", ".brotli");
  const file = join(folder, createHash("sha256").update(data).digest("hex"));
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.new`, brotli(data, 11));
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file);
}
