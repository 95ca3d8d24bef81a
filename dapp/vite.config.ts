import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { compressed, python } from "./bundle/python";

export default defineConfig({
  base: "/",
  plugins: [svelte(), compressed()],
  worker: { format: "es", plugins: () => [python()] },
  build: {
    target: "es2023",
    outDir: "../perun/page/dist",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
