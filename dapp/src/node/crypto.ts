/** Hashes, keys and ciphers for Python, over one piece of memory that both sides see.
 *
 *  `perun/crypto/backend/page.py` says what lies where. Every function answers a number, -1 for no.
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

/** Python's `bytearray`, as Pyodide hands it over. */
export interface SharedMemory {
  getBuffer(kind: "u8"): { data: Uint8Array };
}

const DIGEST = 32;
const KEY = 64;

export type CryptoModule = ReturnType<typeof cryptoModule>;

/** @param heap all memory of Python; it is another array after it has grown */
export function cryptoModule(heap: () => Uint8Array) {
  let place = 0;
  let length = 0;
  let view: Uint8Array = new Uint8Array(0);

  function memory(): Uint8Array {
    const all = heap();
    if (view.buffer !== all.buffer) view = new Uint8Array(all.buffer, place, length);
    return view;
  }

  /** Writes what `make` returns; -1 if it throws: the bytes were no key, or no signature. */
  function answer(make: () => Uint8Array): number {
    try {
      memory().set(make());
      return 0;
    } catch {
      return -1;
    }
  }

  const uncompressed = (key: Uint8Array): Uint8Array =>
    secp256k1.Point.fromBytes(key).toBytes(false).subarray(1);

  return {
    share(shared: SharedMemory): void {
      // The buffer is never given back: so the memory neither moves nor goes.
      const { data } = shared.getBuffer("u8");
      place = data.byteOffset;
      length = data.byteLength;
    },
    keccak: (size: number): number => answer(() => keccak_256(memory().subarray(0, size))),
    publicKey: (): number =>
      answer(() => secp256k1.getPublicKey(memory().slice(0, 32), false).subarray(1)),
    parseKey: (size: number): number => answer(() => uncompressed(memory().slice(0, size))),
    sharedSecret: (): number =>
      answer(() => {
        const at = memory();
        return sha256(secp256k1.getSharedSecret(at.slice(0, 32), at.slice(32, 65), true));
      }),
    sign(): number {
      let recovery = -1;
      const done = answer(() => {
        const at = memory();
        const made = secp256k1.sign(at.slice(0, DIGEST), at.slice(DIGEST, 64), {
          prehash: false,
          format: "recovered",
        });
        recovery = made[0] ?? -1;
        return made.subarray(1);
      });
      return done === 0 ? recovery : -1;
    },
    verify(): number {
      const at = memory();
      const key = new Uint8Array(1 + KEY);
      key[0] = 4;
      key.set(at.subarray(96, 96 + KEY), 1);
      try {
        const good = secp256k1.verify(at.slice(32, 96), at.slice(0, DIGEST), key, {
          prehash: false,
          format: "compact",
        });
        return good ? 0 : -1;
      } catch {
        return -1;
      }
    },
    recover: (id: number): number =>
      answer(() => {
        const at = memory();
        const signature = new Uint8Array(65);
        signature[0] = id;
        signature.set(at.subarray(32, 96), 1);
        return secp256k1.Signature.fromBytes(signature, "recovered")
          .recoverPublicKey(at.slice(0, DIGEST))
          .toBytes(false)
          .subarray(1);
      }),
    /** Key 32, nonce 12, what is vouched for, data. */
    seal(size: number, beside: number): number {
      const at = memory();
      const box = cipher(at, beside).encrypt(at.slice(44 + beside, 44 + beside + size));
      at.set(box);
      return box.length;
    },
    open(size: number, beside: number): number {
      const at = memory();
      try {
        const data = cipher(at, beside).decrypt(at.slice(44 + beside, 44 + beside + size));
        at.set(data);
        return data.length;
      } catch {
        return -1;
      }
    },
  };

  function cipher(at: Uint8Array, beside: number) {
    return chacha20poly1305(at.slice(0, 32), at.slice(32, 44), at.slice(44, 44 + beside));
  }
}
