/** The network that a page's bad days happen in: what tests do to it behind everybody's back. */
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { Person, until } from "../people.mjs";

export const PYTHON = process.env.PYTHON ?? "python3";
export const ROOT = new URL("../../../", import.meta.url).pathname;

export class Town {
  constructor(browser, url, home, network, patron) {
    Object.assign(this, { browser, url, home, network, patron });
  }

  /** Of `perun up`. */
  static async at(browser, url, home) {
    const network = await (await fetch(new URL("/network.json", url))).json();
    const { ports } = JSON.parse(readFileSync(join(home, "town.json"), "utf8"));
    return new Town(browser, url, home, network, `http://127.0.0.1:${ports.patron}`);
  }

  /** Somebody with test ether. */
  async somebody(options) {
    return this.welcome(await Person.at(this.browser, this.url, options));
  }

  async welcome(person) {
    await reachable(person);
    await person.visit();
    await person.begin("pw");
    await person.takeTestEther();
    return person;
  }

  /** … and with a channel with the hub. */
  async member(options) {
    const person = await this.somebody(options);
    await person.openChannel();
    return person;
  }

  /** … who begins with other parts of the network than the page names. */
  async memberBy(parts) {
    const person = await Person.at(this.browser, this.url);
    await reachable(person);
    await person.visit();
    await person.press("Go without a wallet");
    await person.page.locator("ol.words li").nth(11).waitFor();
    await person.page.locator("summary", { hasText: "Network" }).click();
    for (const [name, text] of Object.entries(parts)) {
      await person.page.locator(`[name="${name}"]`).fill(text);
    }
    await person.begins("pw");
    await person.takeTestEther();
    await person.openChannel();
    return person;
  }

  /** … whose storage is on disk; whoever asks for it closes its context. */
  async memberOnDisk() {
    const person = await this.welcome(await Person.onDisk(this.url));
    await person.openChannel();
    return person;
  }

  /** The robot that pays requests. */
  async patronPays(request) {
    const response = await fetch(this.patron, { method: "POST", body: request });
    return response.text();
  }

  /** Id of a process, by its role. */
  processOf(role) {
    const found = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .find((id) => {
        try {
          const words = readFileSync(`/proc/${id}/cmdline`, "utf8").split("\0");
          return words.includes(this.home) && words[words.indexOf("inhabitant") + 1] === role;
        } catch {
          return false;
        }
      });
    return Number(found);
  }

  /** A process stands still from now on: it is there, and says and does nothing. */
  freeze(role) {
    const id = this.processOf(role);
    process.kill(id, "SIGSTOP");
    return () => process.kill(id, "SIGCONT");
  }

  /** The transaction by which the hub would register a channel's present state, later. */
  oldState(channel) {
    return this.python("old_state", join(this.home, "hub"), channel);
  }

  python(module, ...words) {
    const name = `tests.node.processes.page.${module}`;
    return JSON.parse(execFileSync(PYTHON, ["-m", name, ...words], { cwd: ROOT }).toString());
  }

  async chain(method, ...params) {
    const response = await fetch(this.network.rpc, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = await response.json();
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Sends a transaction of an account whose key nobody here has. */
  async sendAs(transaction) {
    await this.chain("anvil_impersonateAccount", transaction.from);
    return this.chain("eth_sendTransaction", transaction);
  }

  /** Everybody's time on chain goes on. */
  async later(seconds) {
    await this.chain("evm_increaseTime", seconds);
    await this.chain("evm_mine");
  }

  /** What was logged for a transaction, once it is mined. */
  async logsOf(hash) {
    let receipt;
    await until("its block", async () => {
      receipt = await this.chain("eth_getTransactionReceipt", hash);
      return receipt !== null;
    });
    if (receipt.status !== "0x1") throw new Error(`${hash}: the chain refuses it`);
    return receipt.logs;
  }

  async etherOf(account) {
    return BigInt(await this.chain("eth_getBalance", account, "latest"));
  }
}

/** Lets tests call the node of this person's tabs as the page does. */
export function reachable(person) {
  return person.context.addInitScript(() => {
    const open = new Map();
    const hear = ({ data }) => {
      if (data.kind === "rpc") data.lines.split("\n").forEach(take);
    };
    const take = (line) => {
      // Events are many, and are not for us.
      const said = line.startsWith('{"jsonrpc":"2.0","id":1') ? JSON.parse(line) : {};
      const waiting = open.get(said.id);
      if (waiting === undefined) return;
      open.delete(said.id);
      if (said.error === undefined) waiting.resolve(said.result);
      else waiting.reject(new Error(said.error.message));
    };
    const Plain = window.Worker;
    window.Worker = class extends Plain {
      constructor(...given) {
        super(...given);
        this.addEventListener("message", hear);
        window.testWorker = this;
      }
    };
    let last = 1e9;
    window.testAsk = (method, params = {}) =>
      new Promise((resolve, reject) => {
        const id = (last += 1);
        open.set(id, { resolve, reject });
        const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
        window.testWorker.postMessage({ kind: "rpc", text });
      });
  });
}

/** A call of the application interface. */
export function ask(person, method, params) {
  return person.page.evaluate(([name, given]) => window.testAsk(name, given), [method, params]);
}

/** A new tab is opened and unlocked. */
export async function opened(person) {
  await person.visit();
  await person.unlock("pw");
}

/** The tab is gone without warning before. */
export async function again(person) {
  await person.page.close();
  await opened(person);
}
