import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { compressed, python } from "./bundle/python";
import { sealed } from "./bundle/sealed";

export default defineConfig({
  base: "/",
  plugins: [svelte(), sealed("public"), compressed()],
  worker: { format: "es", plugins: () => [python()] },
  build: {
    target: "es2023",
    outDir: "../perun/page/dist",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { page: "index.html", offline: "src/offline.ts" },
      output: {
        // It must keep its name, and lie where the page does.
        entryFileNames: ({ name }) =>
          name === "offline" ? "offline.js" : "assets/[name]-[hash].js",
      },
    },
  },
});
