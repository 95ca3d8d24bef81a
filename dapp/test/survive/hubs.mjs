/** The page that one hub serves, used with another hub. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { check } from "../people.mjs";
import { ask, PYTHON, ROOT } from "./town.mjs";

/** A hub with contracts, keys and a faucet of its own, on the same chain. */
async function started(rpc, home) {
  const words = ["hub", "up", "--network", "anvil", "--rpc", rpc, "--home", home];
  const hub = spawn(
    PYTHON,
    ["-m", "perun.cli.main", ...words, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"],
    {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, COLUMNS: "200", PERUN_PASSWORD: "of a test" },
    },
  );
  const said = [];
  const address = await new Promise((resolve, reject) => {
    const hear = (line) => {
      said.push(line);
      const found = /perun1[0-9a-z]+@[\w.:]+/.exec(line);
      if (found !== null) resolve(found[0]);
    };
    for (const stream of [hub.stdout, hub.stderr]) createInterface(stream).on("line", hear);
    hub.on("exit", () => reject(new Error(said.join("\n"))));
  });
  return { hub, address };
}

export const SHARED = {
  async anotherHub(town) {
    const home = mkdtempSync(join(tmpdir(), "perun-hub-"));
    const { hub, address } = await started(town.network.rpc, home);
    try {
      const [person, friend] = [
        await town.memberBy({ hub: address }),
        await town.memberBy({ hub: address }),
      ];
      const [channel] = await ask(person, "channels");
      check(address.startsWith(channel.peer.split("@")[0]), "the channel is with the other hub");
      await person.pay(await friend.request("0.001", "over the other hub"), "");
      await friend.go("Home");
      await friend.activity("over the other hub").waitFor();
      check(true, "a payment over another hub than the one that serves the page");
      await person.page.reload();
      await person.unlock("pw");
      await person.pay(await friend.request("0.001", "and again"), "");
      check(true, "and after a reload");
      check(person.faults.length + friend.faults.length === 0, "without a fault of the page");
    } finally {
      hub.kill("SIGKILL");
      rmSync(home, { recursive: true, force: true });
    }
  },
};
