/** A wallet for tests: EIP-1193, 6963, 712, 3085, 3326 and 5792, over accounts of a chain that runs.
 *
 *  Its user says yes unless told otherwise; every question that people would see is in `prompts`.
 */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><circle cx=".5" cy=".5" r=".5"/></svg>',
)}`;

export class TestWallet {
  /** @param accounts addresses that the chain's node holds the keys of */
  constructor(rpc, accounts, { name = "Test wallet", rdns = "org.example.wallet" } = {}) {
    this.rpc = rpc;
    this.accounts = accounts;
    this.info = { uuid: crypto.randomUUID(), name, rdns, icon: ICON };
    this.connected = false;
    this.chain = 1;
    this.chains = new Set([1]);
    this.prompts = [];
    this.batches = new Map();
    this.answer = () => true;
    /** Whether it sends calls together (EIP-5792). */
    this.batching = true;
    /** What it was asked to send: the calls of each question. */
    this.sent = [];
  }

  /** Into every page of a context, as an extension would. */
  async installIn(context) {
    this.context = context;
    await context.exposeBinding("testWallet", (_, method, params) =>
      this.#answered(method, params),
    );
    await context.addInitScript((info) => {
      const listeners = new Map();
      const provider = {
        async request({ method, params }) {
          const { result, error } = await window.testWallet(method, params ?? []);
          if (error !== undefined) throw error;
          return result;
        },
        on: (name, listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]),
      };
      window.testWalletTells = (name, value) => {
        for (const listener of listeners.get(name) ?? []) listener(value);
      };
      const detail = Object.freeze({ info, provider });
      const announce = () =>
        window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
      window.addEventListener("eip6963:requestProvider", announce);
      announce();
    }, this.info);
  }

  /** The user chooses another account, or another network, in the wallet. */
  async choose(place) {
    this.accounts.unshift(...this.accounts.splice(place, 1));
    await this.#tell("accountsChanged", this.connected ? [this.accounts[0]] : []);
  }

  async goTo(chain) {
    this.chain = chain;
    await this.#tell("chainChanged", `0x${chain.toString(16)}`);
  }

  /** How often its user was asked this since the last time. */
  taken(...methods) {
    const found = this.prompts.filter((one) => methods.includes(one)).length;
    this.prompts = this.prompts.filter((one) => !methods.includes(one));
    return found;
  }

  async #tell(name, value) {
    for (const page of this.context.pages()) {
      await page.evaluate(([n, v]) => window.testWalletTells?.(n, v), [name, value]);
    }
  }

  async #answered(method, params) {
    try {
      return { result: await this.#carryOut(method, params) };
    } catch (error) {
      return { error: { code: error.code ?? -32603, message: error.message } };
    }
  }

  async #ask(method, params) {
    this.prompts.push(method);
    if (!(await this.answer(method, params))) throw refusal(4001, "User rejected the request.");
  }

  async #carryOut(method, params) {
    const [first] = params;
    switch (method) {
      case "eth_requestAccounts":
        if (!this.connected) await this.#ask(method, params);
        this.connected = true;
        return [this.accounts[0]];
      case "eth_accounts":
        return this.connected ? [this.accounts[0]] : [];
      case "eth_chainId":
        return `0x${this.chain.toString(16)}`;
      case "wallet_switchEthereumChain":
        if (!this.chains.has(Number(first.chainId))) throw refusal(4902, "Unrecognized chain ID");
        await this.#ask(method, params);
        await this.goTo(Number(first.chainId));
        return null;
      case "wallet_addEthereumChain":
        if (!first.rpcUrls[0].startsWith("http")) throw refusal(-32602, "no URL");
        await this.#ask(method, params);
        this.chains.add(Number(first.chainId));
        await this.goTo(Number(first.chainId));
        return null;
      case "eth_signTypedData_v4":
        this.#require(first);
        if (Number(JSON.parse(params[1]).domain.chainId) !== this.chain) {
          throw refusal(-32602, "chainId must match the active chain");
        }
        await this.#ask(method, params);
        return this.node(method, [first, JSON.parse(params[1])]);
      case "eth_sendTransaction":
        this.#require(first.from);
        await this.#ask(method, params);
        this.sent.push([first]);
        return this.node(method, params);
      case "wallet_getCapabilities":
        if (!this.batching) throw refusal(-32601, "no such method");
        return { [`0x${this.chain.toString(16)}`]: { atomic: { status: "supported" } } };
      case "wallet_sendCalls": {
        this.#require(first.from);
        if (!this.batching) throw refusal(-32601, "no such method");
        await this.#ask(method, params);
        this.sent.push(first.calls);
        const hashes = [];
        for (const call of first.calls) {
          hashes.push(await this.node("eth_sendTransaction", [{ from: first.from, ...call }]));
        }
        const id = `0x${(this.batches.size + 1).toString(16)}`;
        this.batches.set(id, hashes);
        return { id };
      }
      case "wallet_getCallsStatus": {
        const receipts = await Promise.all(
          this.batches.get(first).map((hash) => this.node("eth_getTransactionReceipt", [hash])),
        );
        return receipts.includes(null) ? { status: 100 } : { status: 200, receipts };
      }
      default:
        return this.node(method, params);
    }
  }

  #require(account) {
    const same = account.toLowerCase() === this.accounts[0].toLowerCase();
    if (!this.connected || !same) throw refusal(4100, "not authorized");
  }

  async node(method, params) {
    const response = await fetch(this.rpc, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = await response.json();
    if (error !== undefined) throw refusal(error.code, error.message);
    return result;
  }
}

function refusal(code, message) {
  return Object.assign(new Error(message), { code });
}
