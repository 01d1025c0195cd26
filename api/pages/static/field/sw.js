// The service worker keeps one whole version of the shell, and nothing else: what the API answers is never kept here.
// VERSION and FILES stand above this line; .ci/phone.py writes them.
const CACHE = "mingcha-phone-" + VERSION;
const KEPT = ["/inspector/phone/", "/inspector/phone/manifest.webmanifest"];

addEventListener("install", (event) => {
  // The whole version or none; a phone that loses its network half-way keeps the old one.
  const fresh = KEPT.map((url) => new Request(url, { cache: "reload", credentials: "omit" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh.concat(FILES))).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  // Pages of the old version have all their modules already, and what they hold is in IndexedDB.
  const old = (name) => name.startsWith("mingcha-phone-") && name !== CACHE;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))).then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  // No other host is ever asked: the page's policy forbids it.
  const { pathname } = new URL(event.request.url);
  if (KEPT.concat(FILES).indexOf(pathname) < 0) return;
  event.respondWith(caches.match(pathname).then((kept) => kept || fetch(event.request)));
});

// Where Background Sync exists it wakes the open pages; the queue itself is drained by a page, never here.
addEventListener("sync", (event) => {
  event.waitUntil(clients.matchAll().then((pages) => pages.forEach((page) => page.postMessage("drain"))));
});
