/** A fresh idempotency key: whoever asks again with it gets the first answer, and nothing twice. */
export function newKey(): string {
  return crypto.randomUUID();
}
