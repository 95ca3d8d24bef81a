/** A node that runs on this machine, over a WebSocket: the same messages as to a worker. */
import { Calls } from "./client";

/** Why it is not there: nobody answers, or it does not know the token. */
export type Away = "gone" | "token";

const UNKNOWN_TOKEN = 4401;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/** Where its WebSocket is; undefined: the text is no address of this machine, or without TLS. */
export function socketOf(address: string): string | undefined {
  try {
    const url = new URL(address.includes("://") ? address : `http://${address}`);
    const here = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
    const secure = url.protocol === "https:" || url.protocol === "wss:";
    if (!here && !secure) return undefined;
    return `${secure ? "wss" : "ws"}://${url.host}/ws`;
  } catch {
    return undefined;
  }
}

/** Changes the code of a link for the token that it stands for; undefined: it was used before. */
export async function tokenFor(code: string): Promise<string | undefined> {
  const response = await fetch("/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (!response.ok) return undefined;
  return ((await response.json()) as { token: string }).token;
}

/** Dials until it is told to stop; calls that are open when a line is lost fail. */
export class DaemonNode {
  calls: Calls;
  #line: WebSocket | undefined;
  #wait = FIRST_WAIT_MS;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly here: () => void,
    private readonly away: (why: Away) => void,
    private readonly onEvent: (params: unknown) => void,
  ) {
    this.calls = this.#newCalls();
    this.#dial();
  }

  #newCalls(): Calls {
    return new Calls((text) => this.#line?.send(text), this.onEvent);
  }

  #dial(): void {
    const line = new WebSocket(this.url);
    this.#line = line;
    line.onopen = () => line.send(JSON.stringify({ token: this.token }));
    line.onmessage = (event: MessageEvent<string>) => {
      if ((JSON.parse(event.data) as { method?: string }).method === "hello") {
        this.#wait = FIRST_WAIT_MS;
        this.here();
      } else {
        this.calls.take(event.data);
      }
    };
    line.onclose = (event) => {
      this.calls.fail(new Error("the node is not there any more"));
      this.calls = this.#newCalls();
      if (event.code === UNKNOWN_TOKEN) {
        this.away("token");
        return;
      }
      this.away("gone");
      setTimeout(() => this.#dial(), this.#wait);
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
    };
  }
}
