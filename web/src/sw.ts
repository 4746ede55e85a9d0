/// <reference lib="webworker" />
/**
 * The service worker. Pages come from the network, always: an old page is never served as a new one. Without a
 * connection the recorder opens, from what was kept, and every other address says that there is no connection.
 * Built files bear a hash of their contents, so those that are kept are right for ever.
 */
type Shell = { version: string; pages: string[]; files: string[] };
const worker = self as unknown as ServiceWorkerGlobalScope & { shell: Shell };

const KEPT = `bubbles-${worker.shell.version}`;
const OFFLINE = "/offline";

worker.addEventListener("install", (event) => event.waitUntil(keepShell()));
worker.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event, url.pathname));
  else if (worker.shell.files.includes(url.pathname)) event.respondWith(built(request));
});

async function keepShell(): Promise<void> {
  const cache = await caches.open(KEPT);
  await cache.addAll([...worker.shell.pages, ...worker.shell.files].map((path) => new Request(path, { cache: "reload" })));
  await worker.skipWaiting();
}

async function dropOthers(): Promise<void> {
  for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
  await worker.clients.claim();
}

async function page(event: FetchEvent, path: string): Promise<Response> {
  const fresh = await fetch(event.request).catch(() => null);
  if (!fresh) return keptPage(path);
  // Nobody waits for it to be kept, and a device without room keeps the one that it has.
  if (fresh.ok && worker.shell.pages.includes(path)) event.waitUntil(keep(path, fresh.clone()).catch(() => undefined));
  return fresh;
}

async function keptPage(path: string): Promise<Response> {
  const kept = await caches.open(KEPT);
  return (await kept.match(path)) ?? (await kept.match(OFFLINE)) ?? Response.error();
}

async function keep(path: string, fresh: Response): Promise<void> {
  await (await caches.open(KEPT)).put(path, fresh);
}

async function built(request: Request): Promise<Response> {
  return (await (await caches.open(KEPT)).match(request)) ?? fetch(request);
}
