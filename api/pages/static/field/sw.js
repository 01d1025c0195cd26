// The service worker keeps one whole version of the shell, and nothing else: what the API answers is never kept here.
// VERSION and FILES stand above this line; the server writes them (api/pages/phone.py).
const CACHE = "mingcha-phone-" + VERSION;
const SHELL = "/inspector/phone/";

addEventListener("install", (event) => {
  // The whole version or none; a phone that loses its network half-way keeps the old one.
  const fresh = [SHELL, SHELL + "manifest.webmanifest"].map((url) => new Request(url, { cache: "reload", credentials: "omit" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh.concat(FILES))).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  // Pages of the old version have all their modules already, and what they hold is in IndexedDB.
  const old = (name) => name.startsWith("mingcha-phone-") && name !== CACHE;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))).then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const ours = url.origin === location.origin && event.request.method === "GET";
  const opens = event.request.mode === "navigate" && url.pathname === SHELL;
  if (!ours || !(opens || url.pathname === SHELL + "manifest.webmanifest" || FILES.indexOf(url.pathname) >= 0)) return;
  event.respondWith(caches.match(opens ? SHELL : url.pathname).then((kept) => kept || fetch(event.request)));
});

// Where Background Sync exists it wakes the open pages; the queue itself is drained by a page, never here.
addEventListener("sync", (event) => {
  event.waitUntil(clients.matchAll().then((pages) => pages.forEach((page) => page.postMessage("drain"))));
});
