/// <reference lib="webworker" />
/** The worker: takes the store for itself, starts Python, and passes messages. */
import { bundle } from "virtual:python";
import { loadPyodide, type PyodideAPI } from "pyodide";

import { cryptoModule } from "./crypto";
import { keep, newest, seal, unseal, type Settings } from "./keys";
import { lentModule, type Telling } from "./lent";
import type { FromWorker, HeldToken, KeptStore, Rehearsal, Told, ToWorker } from "./messages";

declare const self: DedicatedWorkerGlobalScope;

const LOCK = "perun store";
const FOLDER = "perun";
/** Within which the worker of a tab that is reloaded has gone. */
const A_RELOAD_MS = 1_000;
const FILE_TRIES = 200;
const FILE_PAUSE_MS = 50;

interface PythonWorker {
  start(settings: string): Promise<string>;
  take(text: string): void;
  faucet(): Promise<string>;
  look(settings: string): Promise<string>;
  token(asset: string): string;
  rehearse(channel: string): string;
  new_phrase(): string;
}

const tell = (message: FromWorker): void => self.postMessage(message);

/** Questions for a wallet that the window has not answered yet. */
const asked = new Map<number, (text: string) => void>();
let questions = 0;

function askWallet(text: string): Promise<string> {
  questions += 1;
  const number = questions;
  tell({ kind: "wallet", number, text });
  return new Promise((resolve) => asked.set(number, resolve));
}

/** Between the workers of all tabs: whoever wants the store says so, and whoever has it lets go. */
const tabs = new BroadcastChannel(LOCK);

/** Returns when the store is ours, until this worker ends; another tab's worker may have it first,
 *  for a moment if that tab was just reloaded, or until its user comes here. */
async function takeLock(): Promise<void> {
  const late = setTimeout(() => tell({ kind: "stage", stage: "elsewhere" }), A_RELOAD_MS);
  await new Promise<void>((resolve) => {
    void navigator.locks.request(LOCK, () => {
      resolve();
      return new Promise<void>(() => undefined);
    });
  });
  clearTimeout(late);
  // What is stored is whole at any moment, so ending needs no preparation.
  tabs.onmessage = () => {
    tell({ kind: "stage", stage: "handedOver" });
    self.close();
  };
}

async function open(folder: FileSystemDirectoryHandle, name: string) {
  const file = await folder.getFileHandle(name, { create: true });
  // A tab that was just closed or reloaded lets its files go a moment after its lock.
  for (let left = FILE_TRIES; ; left -= 1) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, FILE_PAUSE_MS));
    }
  }
}

/** Whatever is fetched of our own parts is what the build has seen, or nothing. */
function checkParts(): void {
  const plain = self.fetch.bind(self);
  self.fetch = (input, options) => {
    const url = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    const integrity = bundle.integrity[url.slice(url.lastIndexOf("/") + 1)];
    const ours = url.includes(bundle.folder) && integrity !== undefined;
    return plain(input, ours ? { ...options, integrity } : options);
  };
}

async function startPython(files: FileSystemSyncAccessHandle[]): Promise<PythonWorker> {
  const base = new URL(bundle.folder, self.location.origin).href;
  const package_ = fetch(`${base}msgspec.bin`).then((response) => response.arrayBuffer());
  const words = fetch(`${base}words.txt`).then((response) => response.text());
  const pyodide: PyodideAPI = await loadPyodide({
    indexURL: base,
    stdLibURL: `${base}python.zip`,
    lockFileContents: bundle.lock,
    packageBaseUrl: base,
  });
  performance.mark("python");
  const heap = (): Uint8Array =>
    (pyodide as unknown as { _module: { HEAPU8: Uint8Array } })._module.HEAPU8;
  pyodide.registerJsModule("perun_js", cryptoModule(heap));
  const telling: Telling = {
    wallet: askWallet,
    say: (lines: string) => tell({ kind: "rpc", lines }),
    failed: (why: string) => tell({ kind: "stage", stage: "failed", why }),
  };
  pyodide.registerJsModule("perun_page", lentModule(files, await words, telling));
  unpack(pyodide, new Uint8Array(await package_));
  const worker = pyodide.pyimport("perun.page.worker") as unknown as PythonWorker;
  performance.mark("ready");
  return worker;
}

/** Files of a package with native code, which Python cannot load out of an archive. */
function unpack(pyodide: PyodideAPI, archive: Uint8Array): void {
  const size = new DataView(archive.buffer).getUint32(0);
  const index = JSON.parse(new TextDecoder().decode(archive.subarray(4, 4 + size))) as [
    string,
    number,
  ][];
  let at = 4 + size;
  for (const [path, length] of index) {
    pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    pyodide.FS.writeFile(path, archive.subarray(at, at + length));
    at += length;
  }
}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  if (event.data.kind === "takeOver") tabs.postMessage("");
};

async function main(): Promise<void> {
  await takeLock();
  checkParts();
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  const keys = await open(folder, "keys");
  const files = [await open(folder, "store.0"), await open(folder, "store.1")];
  const python = startPython(files);
  const tellWhetherBegun = (): void =>
    tell({ kind: "stage", stage: newest(keys) === undefined ? "empty" : "locked" });
  tellWhetherBegun();

  /** @param store that the hub keeps, to be brought back; 0: none */
  async function start(settings: Settings, store = 0): Promise<boolean> {
    tell({ kind: "stage", stage: "starting" });
    const { phrase, wallet, ...rest } = settings;
    const wanted = { ...rest, phrase, store, account: wallet?.account ?? "" };
    const said = JSON.parse(await (await python).start(JSON.stringify(wanted))) as {
      node?: string;
      account?: string;
      purse?: string;
      error?: Told;
    };
    if (said.error !== undefined) {
      tell({ kind: "refused", error: said.error });
      tellWhetherBegun();
      return false;
    }
    const { node = "", account = "", purse = "" } = said;
    const shown = { ...rest, ...(wallet === undefined ? {} : { wallet }) };
    tell({ kind: "stage", stage: "running", node, account, purse, settings: shown });
    return true;
  }

  async function take(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case "takeOver":
        return;
      case "rpc":
        (await python).take(message.text);
        return;
      case "walletSaid":
        asked.get(message.number)?.(message.text);
        asked.delete(message.number);
        return;
      case "newPhrase":
        tell({ kind: "phrase", phrase: (await python).new_phrase() });
        return;
      case "faucet":
        tell({ kind: "faucet", text: await (await python).faucet() });
        return;
      case "create": {
        const { phrase, rpc, hub, tower, store, password, wallet } = message;
        const settings = { phrase, rpc, hub, tower, ...(wallet === undefined ? {} : { wallet }) };
        const sealed = await seal(settings, password);
        if (await start(settings, store)) keep(keys, sealed);
        return;
      }
      case "look": {
        const { phrase, rpc, hub } = message;
        const said = JSON.parse(
          await (await python).look(JSON.stringify({ phrase, rpc, hub })),
        ) as { found?: KeptStore[]; error?: Told };
        if (said.error !== undefined) tell({ kind: "refused", error: said.error });
        else tell({ kind: "found", found: said.found ?? [] });
        return;
      }
      case "token": {
        const { asset } = message;
        const said = JSON.parse((await python).token(asset)) as {
          token?: HeldToken;
          error?: Told;
        };
        tell({ kind: "token", asset, ...said });
        return;
      }
      case "rehearse": {
        const { channel } = message;
        const said = JSON.parse((await python).rehearse(channel)) as {
          played?: Rehearsal;
          error?: Told;
        };
        tell({ kind: "rehearsed", channel, ...said });
        return;
      }
      case "beginAnew":
        for (const file of files) {
          file.truncate(0);
          file.flush();
        }
        tell({ kind: "stage", stage: "handedOver" });
        self.close();
        return;
      case "unlock": {
        const settings = await unseal(newest(keys), message.password);
        if (settings === undefined) {
          tell({ kind: "refused", error: { name: "WrongPassword", text: "", do: "" } });
        } else {
          const { password, rpc } = message;
          const changed = rpc !== "" && rpc !== settings.rpc;
          const wanted = changed ? { ...settings, rpc } : settings;
          if ((await start(wanted)) && changed) keep(keys, await seal(wanted, password));
        }
        return;
      }
    }
  }

  self.onmessage = (event: MessageEvent<ToWorker>) => {
    take(event.data).catch((error: unknown) => {
      tell({ kind: "stage", stage: "failed", why: String(error) });
    });
  };
  await python;
}

main().catch((error: unknown) => tell({ kind: "stage", stage: "failed", why: String(error) }));
