/** The twelve words at rest: encrypted by a password, in the origin's private file system. */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { argon2idAsync } from "@noble/hashes/argon2.js";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

import type { WalletChosen } from "./messages";

/** What the node is told at its start; all of it is encrypted. */
export interface Settings {
  phrase: string;
  rpc: string;
  hub: string;
  /** Who watches while the page is closed. */
  tower?: string;
  wallet?: WalletChosen;
}

export interface Sealed {
  version: 1;
  salt: string;
  nonce: string;
  sealed: string;
}

const NEW_LINE = 10;
/** RFC 9106 asks for more memory than a phone's browser gives; OWASP's least is this. */
const WORK = { t: 2, m: 19 * 1024, p: 1, dkLen: 32 };

export async function seal(settings: Settings, password: string): Promise<Uint8Array> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const key = await argon2idAsync(utf8ToBytes(password), salt, WORK);
  const sealed = chacha20poly1305(key, nonce).encrypt(utf8ToBytes(JSON.stringify(settings)));
  const content: Sealed = {
    version: 1,
    salt: bytesToHex(salt),
    nonce: bytesToHex(nonce),
    sealed: bytesToHex(sealed),
  };
  return utf8ToBytes(JSON.stringify(content));
}

/** Keeps what was sealed behind all that the file holds, a line each: whenever this ends, what
 *  counted before is there. */
export function keep(file: FileSystemSyncAccessHandle, sealed: Uint8Array): void {
  const line = new Uint8Array(sealed.length + 1);
  line[0] = NEW_LINE;
  line.set(sealed, 1);
  file.write(line, { at: file.getSize() });
  file.flush();
}

/** The last line that was written wholly; undefined: there is none. */
export function newest(file: FileSystemSyncAccessHandle): Sealed | undefined {
  const data = new Uint8Array(file.getSize());
  file.read(data, { at: 0 });
  for (const line of new TextDecoder().decode(data).split("\n").reverse()) {
    try {
      return JSON.parse(line) as Sealed;
    } catch {
      // The page ended in the middle of it, or it is the empty one before the first.
    }
  }
  return undefined;
}

/** What was sealed; undefined if the password is another, or it is nothing of ours. */
export async function unseal(
  content: Sealed | undefined,
  password: string,
): Promise<Settings | undefined> {
  if (content === undefined) return undefined;
  try {
    const key = await argon2idAsync(utf8ToBytes(password), hexToBytes(content.salt), WORK);
    const plain = chacha20poly1305(key, hexToBytes(content.nonce)).decrypt(
      hexToBytes(content.sealed),
    );
    return JSON.parse(new TextDecoder().decode(plain)) as Settings;
  } catch {
    return undefined;
  }
}
