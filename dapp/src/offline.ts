/// <reference lib="webworker" />
/** The service worker: opens the page without network, from what it has put away of this build.
 *
 *  Files that are named by their content never change: they come from what was kept. The page
 *  itself, and which network it is for, come from the network where there is one, so that nobody is
 *  held on an old build. Nothing else passes here: not the chain, not the hub, not a daemon.
 */
const worker = self as unknown as ServiceWorkerGlobalScope;

/** Filled in by the build: the files of it, and the name of what is kept of them. */
const FILES = "__FILES__" as unknown as readonly string[];
const KEPT = "__KEPT__";
const CHANGING = ["/", "/network.json"];
/** How long the network may take before what was kept is shown. */
const PATIENCE_MS = 4_000;

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll([...FILES, ...CHANGING])));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))),
      ),
  );
});

worker.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== worker.location.origin) return;
  if (FILES.includes(pathname)) event.respondWith(kept(event.request));
  else if (CHANGING.includes(pathname)) event.respondWith(newest(pathname));
});

async function kept(request: Request): Promise<Response> {
  return (await caches.match(request.url, { cacheName: KEPT })) ?? fetch(request);
}

async function newest(path: string): Promise<Response> {
  const cache = await caches.open(KEPT);
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.ok) await cache.put(path, response.clone());
    return response;
  } catch {
    return (await cache.match(path)) ?? Response.error();
  }
}
