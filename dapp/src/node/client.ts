/** The node behind the page: a worker here, or a daemon; both speak the same messages. */
import type { FromWorker, ToWorker } from "./messages";

export interface Refusal {
  code: number;
  message: string;
  data?: { name: string; values: Record<string, string>; do: string };
}

/** A call that the node has refused. */
export class CallRefused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
    this.name = refusal.data?.name ?? "CallRefused";
  }

  /** What to do about it, in words; empty if nothing is known. */
  get hint(): string {
    return this.refusal.data?.do ?? "";
  }
}

interface Reply {
  id?: number;
  result?: unknown;
  error?: Refusal;
  method?: string;
  params?: unknown;
}

/** JSON-RPC over whatever carries text. */
export class Calls {
  #next = 1;
  readonly #open = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >();

  /** @param onEvent told of notifications: events of a subscription */
  constructor(
    private readonly send: (text: string) => void,
    private readonly onEvent: (params: unknown) => void,
  ) {}

  call<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#open.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  /** Nobody will answer any more. */
  fail(error: Error): void {
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }

  take(text: string): void {
    const reply = JSON.parse(text) as Reply;
    if (reply.method !== undefined) {
      this.onEvent(reply.params);
      return;
    }
    const waiting = reply.id === undefined ? undefined : this.#open.get(reply.id);
    if (waiting === undefined || reply.id === undefined) return;
    this.#open.delete(reply.id);
    if (reply.error === undefined) waiting.resolve(reply.result);
    else waiting.reject(new CallRefused(reply.error));
  }
}

/** Starts the worker. */
export class WorkerNode {
  readonly calls: Calls;
  readonly #worker: Worker;

  constructor(hear: (message: FromWorker) => void, onEvent: (params: unknown) => void) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.calls = new Calls((text) => this.tell({ kind: "rpc", text }), onEvent);
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => {
      if (event.data.kind === "rpc")
        for (const one of event.data.lines.split("\n")) this.calls.take(one);
      else hear(event.data);
    };
    this.#worker.onerror = (event) => {
      hear({ kind: "stage", stage: "failed", why: event.message });
    };
  }

  end(): void {
    this.#worker.terminate();
  }

  tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
