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

interface Sealed {
  version: 1;
  salt: string;
  nonce: string;
  sealed: string;
}

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

/** What was sealed; undefined if the password is another, or the file none of ours. */
export async function unseal(file: Uint8Array, password: string): Promise<Settings | undefined> {
  try {
    const content = JSON.parse(new TextDecoder().decode(file)) as Sealed;
    const key = await argon2idAsync(utf8ToBytes(password), hexToBytes(content.salt), WORK);
    const plain = chacha20poly1305(key, hexToBytes(content.nonce)).decrypt(
      hexToBytes(content.sealed),
    );
    return JSON.parse(new TextDecoder().decode(plain)) as Settings;
  } catch {
    return undefined;
  }
}
