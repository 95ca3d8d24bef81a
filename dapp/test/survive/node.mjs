/** A node of the chain that is gone, slow, behind, or lies, as a test says. */
import { createServer } from "node:http";

const HEADERS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "*",
  "Content-Type": "application/json",
};
const ZEROS = `0x${"0".repeat(64)}`;

/** How it spoils an answer: of what was asked, what the chain said, and the head at the time. */
export const LIES = {
  "talks nonsense": () => "<html>no</html>",
  "says that nothing is stored": (asked, said) =>
    asked.method === "eth_call"
      ? { ...said, result: `0x${"0".repeat(said.result.length - 2)}` }
      : said,
  "keeps all events back": (asked, said) =>
    asked.method === "eth_getLogs" ? { ...said, result: [] } : said,
  "is on another chain": (asked, said) =>
    asked.method === "eth_chainId" ? { ...said, result: "0x1" } : said,
  "has other blocks": (asked, said) =>
    asked.method === "eth_getBlockByNumber" && said.result
      ? { ...said, result: { ...said.result, hash: `0x11${said.result.hash.slice(4)}` } }
      : said,
  "has a number that is none": (asked, said) =>
    asked.method === "eth_getBlockByNumber" && said.result
      ? { ...said, result: { ...said.result, number: "0x" + "f".repeat(60) } }
      : said,
  "says that all was mined": (asked, said) =>
    asked.method === "eth_getTransactionReceipt"
      ? { ...said, result: { transactionHash: asked.params[0], status: "0x1", blockNumber: "0x1" } }
      : said,
  "denies every code": (asked, said) =>
    asked.method === "eth_getCode" ? { ...said, result: "0x" } : said,
  "answers another question": (_, said) => ({ ...said, id: 77 }),
  "says zero to everything": (_, said) => ({ ...said, result: ZEROS }),
};

export class BadNode {
  constructor(target) {
    this.target = target;
    /** How often it was asked for its newest block. */
    this.looks = 0;
    this.be("good");
  }

  async listen() {
    this.server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** @param mood `good`, `gone`, `slow`, `behind`, or a lie */
  be(mood, wait = 2_000) {
    Object.assign(this, { mood, wait, head: undefined });
  }

  async #serve(request, response) {
    if (this.mood === "gone") {
      response.destroy();
      return;
    }
    const parts = [];
    for await (const part of request) parts.push(part);
    if (request.method === "OPTIONS") {
      response.writeHead(204, HEADERS).end();
      return;
    }
    const asked = JSON.parse(Buffer.concat(parts).toString());
    if (asked.method === "eth_getBlockByNumber" && asked.params[0] === "latest") this.looks += 1;
    if (this.mood === "slow") await new Promise((resolve) => setTimeout(resolve, this.wait));
    if (this.mood === "behind") await this.#keepBack(asked);
    const said = await this.#chain(asked);
    const spoil = LIES[this.mood];
    const answer = spoil === undefined ? said : spoil(asked, said);
    response.writeHead(200, HEADERS);
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  }

  /** Whatever was mined since then is not known. */
  async #keepBack(asked) {
    if (this.head === undefined) {
      const newest = { jsonrpc: "2.0", id: 0, method: "eth_blockNumber", params: [] };
      this.head = (await this.#chain(newest)).result;
    }
    asked.params = JSON.parse(
      JSON.stringify(asked.params).replaceAll('"latest"', `"${this.head}"`),
    );
  }

  async #chain(asked) {
    const response = await fetch(this.target, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    });
    return response.json();
  }
}
