import { mount } from "svelte";

import App from "./ui/App.svelte";
import "./ui/style.css";

// Where it may not be registered, the page works with network only.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/offline.js").catch(() => undefined);
}

const target = document.getElementById("app");
if (target !== null) mount(App, { target });
