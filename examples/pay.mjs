// Pays by a node of yours on this machine: node examples/pay.mjs perun1…@host "0.001"
// The interface is JSON-RPC 2.0 over HTTP; docs/reference/openrpc.json has every method.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const home = process.env.PERUN_HOME ?? join(homedir(), ".perun");
const { url, token } = JSON.parse(readFileSync(join(home, "api.json"), "utf8"));

async function call(method, params) {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
  const { result, error } = await response.json();
  if (error) throw new Error(error.message);
  return result;
}

const [to, ether] = process.argv.slice(2);
const [whole, fraction = ""] = ether.split(".");
const wei = BigInt(whole + fraction.padEnd(18, "0")); // amounts are digits of the smallest unit
// The key makes it happen once, however often it is asked for: keep it with your own order.
const idempotencyKey = randomUUID();
try {
  const paid = await call("pay", { to, amount: String(wei), text: "by Node", idempotencyKey });
  console.log(paid.step, paid.amount, paid.id);
  process.exitCode = paid.step === "done" || paid.step === "delivered" ? 0 : 1;
} catch (error) {
  console.error(error.message); // a refusal says what to do, too
  process.exitCode = 1;
}
