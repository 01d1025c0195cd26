// What the phone keeps. Every write is on the disk ("strict") before anybody reads 已保存.

const KEYS = { kv: null, visits: "id", blobs: "sha256", sent: "id" };
let opened = null;

function open() {
  if (opened) return opened;
  opened = new Promise((done, fail) => {
    const asked = indexedDB.open("mingcha-phone", 1);
    asked.onupgradeneeded = () => {
      Object.keys(KEYS).forEach((name) => asked.result.createObjectStore(name, KEYS[name] ? { keyPath: KEYS[name] } : {}));
    };
    asked.onsuccess = () => {
      const forget = () => { opened = null; };
      asked.result.onclose = forget; // iOS closes it when memory is short: the next call opens it again
      asked.result.onversionchange = () => { asked.result.close(); forget(); };
      done(asked.result);
    };
    asked.onerror = () => { opened = null; fail(asked.error); };
  });
  return opened;
}

// One transaction, whole or not at all. `work` may wait for nothing but requests of its own stores.
export async function transact(names, mode, work) {
  let tx = null;
  for (let attempt = 0; !tx; attempt += 1) {
    const db = await open();
    try {
      tx = db.transaction(names, mode, { durability: "strict" });
    } catch (closed) {
      opened = null;
      if (attempt) throw closed;
    }
  }
  return new Promise((done, fail) => {
    const kept = {};
    tx.oncomplete = () => done(kept.value);
    tx.onabort = () => fail(kept.error || tx.error);
    try {
      work((name) => tx.objectStore(name), kept);
    } catch (error) {
      kept.error = error;
      tx.abort();
    }
  });
}

function ask(name, mode, request) {
  return transact([name], mode, (store, kept) => {
    const asked = request(store(name));
    asked.onsuccess = () => { kept.value = asked.result; };
  });
}

export const get = (name, key) => ask(name, "readonly", (store) => store.get(key));
export const all = (name) => ask(name, "readonly", (store) => store.getAll());
export const put = (name, value, key) => ask(name, "readwrite", (store) => store.put(value, key)).then(told);
// The visits as screens show them: read once and again after any change, so that a tap waits for no disk.
let shown = null;
export const visits = () => (shown = shown || all("visits"));
addEventListener("storage", () => { shown = null; });

// Say that something changed: to this tab, and by localStorage to the others.
export function told(value) {
  shown = null;
  localStorage.setItem("mc-told", `${Date.now()} ${Math.random()}`);
  dispatchEvent(new Event("mc-told"));
  return value;
}

// Whose phone it is now. What colleagues wrote on it is theirs: neither shown nor changed.
export const mine = () => get("kv", "token").then((token) => token && token.inspector);
export const owned = (one, me) => Boolean(one && me && one.inspector.id === me.id);
export const own = async (id) => {
  const [me, visit] = [await mine(), await get("visits", id)];
  return owned(visit, me) ? visit : null;
};

// Read, change and write one visit of one's own, with the bytes that belong to it; `edit` returns false to leave all as it was.
export function change(id, edit, blob) {
  return transact(["visits", "blobs", "kv"], "readwrite", (store, kept) => {
    const who = store("kv").get("token");
    const asked = store("visits").get(id);
    asked.onsuccess = () => {
      const visit = asked.result;
      try {
        if (!owned(visit, who.result && who.result.inspector) || edit(visit) === false) return;
        visit.rev += 1;
        if (blob) store("blobs").put(blob);
        store("visits").put(visit);
        kept.value = visit;
      } catch (error) {
        kept.error = error;
        asked.transaction.abort();
      }
    };
  }).then(told);
}

// What a person writes into a visit; one that is finished, or in other hands by now, takes nothing and nobody reads 已保存.
export const amend = (id, edit, blob) => change(id, (visit) => !visit.frozen && (edit(visit), true), blob).then((visit) => visit || Promise.reject(new Error("frozen")));

// A visit that the server has whole makes room; a short note of it stays.
export function settle(visit, note) {
  return transact(["visits", "blobs", "sent"], "readwrite", (store) => {
    visit.blobs.forEach((sha) => store("blobs").delete(sha));
    store("visits").delete(visit.id);
    store("sent").put(note);
  }).then(told);
}
