/** Vite's plugin that closes a build: the page names what it loads by hash, and the service worker
 *  knows all files of it. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";

import type { Plugin } from "vite";

import { integrity } from "./python";

const PAGE = "index.html";
const OFFLINE = "offline.js";

export function sealed(publicDir: string): Plugin {
  return {
    name: "perun-sealed",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, found) {
        const content = new Map(
          Object.entries(found).map(([name, item]) => [
            name,
            Buffer.from(item.type === "asset" ? item.source : item.code),
          ]),
        );
        const page = found[PAGE];
        const offline = found[OFFLINE];
        if (page?.type !== "asset" || offline?.type !== "chunk") {
          throw new Error(`no ${PAGE}, or no ${OFFLINE}`);
        }
        page.source = String(page.source).replace(/(?:src|href)="\/(assets\/[^"]+)"/g, withHash);

        function withHash(attribute: string, name: string): string {
          const data = content.get(name);
          if (data === undefined) throw new Error(`${PAGE} names ${name}, which is not there`);
          return `${attribute} integrity="${integrity(data)}"`;
        }

        const all = createHash("sha256").update(String(page.source));
        const files = [...content.keys()].filter((name) => name !== PAGE && name !== OFFLINE);
        for (const name of files) all.update(content.get(name) ?? "");
        const paths = [...files, ...readdirSync(publicDir)].map((name) => `/${name}`);
        offline.code = offline.code
          .replace(/["'`]__FILES__["'`]/, JSON.stringify(paths))
          .replace("__KEPT__", `perun ${all.digest("hex").slice(0, 16)}`);
      },
    },
  };
}
