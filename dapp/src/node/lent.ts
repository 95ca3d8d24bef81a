/** What the page lends to its node: files, HTTP, WebSockets, the way to the window.
 *
 *  `perun/page/worker.py` makes of it what `perun.page.lent` says. Only numbers, text and bytes
 *  cross.
 */

/** Bytes of one answer of a chain's node. */
const MOST_TEXT = 8 * 2 ** 20;
/** … and of a place that keeps backups. */
const MOST_BYTES = 32 * 2 ** 20;
const NOTHING = new Uint8Array(0);
const FETCH_SECONDS = 30;

export interface Telling {
  say(lines: string): void;
  failed(text: string): void;
  /** Asks a wallet of the window, by its user. */
  wallet(question: string): Promise<string>;
}

export type LentModule = ReturnType<typeof lentModule>;

export function lentModule(
  files: readonly FileSystemSyncAccessHandle[],
  words: string,
  telling: Telling,
) {
  function file(number: number): FileSystemSyncAccessHandle {
    const found = files[number];
    if (found === undefined) throw new Error(`no file ${number}`);
    return found;
  }

  return {
    fileSize: (number: number): number => file(number).getSize(),
    fileRead(number: number, at: number, size: number): Uint8Array {
      const data = new Uint8Array(size);
      return data.subarray(0, file(number).read(data, { at }));
    },
    fileWrite(number: number, at: number, data: Uint8Array): void {
      const written = file(number).write(data as Uint8Array<ArrayBuffer>, { at });
      if (written !== data.length) throw new Error(`no space: ${written} of ${data.length} bytes`);
    },
    fileTruncate: (number: number, size: number): void => file(number).truncate(size),
    fileFlush: (number: number): void => file(number).flush(),
    words: (): string => words,
    say: (lines: string): void => telling.say(lines),
    failed: (text: string): void => telling.failed(text),
    wallet: (question: string): Promise<string> => telling.wallet(question),
    report: (text: string): void => console.debug(text),
    post,
    fetch: ask,
    exchange,
    socket,
  };
}

/** Status and body, a space between them; status 0 and why if nothing came. */
function post(url: string, body: string, seconds: number): string {
  const request = new XMLHttpRequest();
  try {
    request.open("POST", url, false);
    request.timeout = seconds * 1000;
    request.setRequestHeader("Content-Type", "application/json");
    request.send(body);
    const text = request.responseText;
    return text.length > MOST_TEXT ? "0 AnswerTooBig" : `${request.status} ${text}`;
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    return late ? "0 Timeout" : "0 nobody answers";
  }
}

async function ask(method: string, url: string, body: string): Promise<string> {
  try {
    const response = await fetch(url, {
      method,
      // Plain text needs no leave of the host in advance.
      ...(method === "POST" ? { body, headers: { "Content-Type": "text/plain" } } : {}),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(FETCH_SECONDS * 1000),
    });
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return `0 ${error instanceof Error ? error.message : "nobody answers"}`;
  }
}

/** Status and answer; 0 and nothing if none came, or more than anybody has to say. */
async function exchange(url: string, body: Uint8Array): Promise<[number, Uint8Array]> {
  try {
    const response = await fetch(url, {
      method: "POST",
      body: body as Uint8Array<ArrayBuffer>,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(FETCH_SECONDS * 1000),
    });
    const answer = new Uint8Array(await response.arrayBuffer());
    return answer.length > MOST_BYTES ? [0, NOTHING] : [response.status, answer];
  } catch {
    return [0, NOTHING];
  }
}

function socket(
  url: string,
  protocol: string,
  opened: () => void,
  came: (data: Uint8Array) => void,
  closed: (code: number, reason: string) => void,
) {
  const line = new WebSocket(url, protocol);
  let over = false;
  line.binaryType = "arraybuffer";
  line.onopen = () => opened();
  line.onmessage = (event: MessageEvent<unknown>) => {
    if (over) return;
    if (event.data instanceof ArrayBuffer) came(new Uint8Array(event.data));
  };
  line.onclose = (event) => {
    if (over) return;
    over = true;
    closed(event.code, event.reason);
  };
  return {
    send(data: Uint8Array): void {
      if (line.readyState === WebSocket.OPEN) line.send(data as Uint8Array<ArrayBuffer>);
    },
    waiting: (): number => line.bufferedAmount,
    close: (): void => line.close(),
  };
}
