// The chain of a visit: event n names the hash of event n - 1, so what is edited or moved later shows.

import { change, get, own, owned, put, told, transact } from "./store.js";

const bytes = (text) => new TextEncoder().encode(text);
const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, "0")).join("");
const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
const START = "0".repeat(64);
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export const sha256 = (data) => crypto.subtle.digest("SHA-256", data).then(hex);

export function uuid() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 15) | 64;
  b[8] = (b[8] & 63) | 128;
  return hex(b).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// The key of this phone for one inspector; its private half cannot leave. `anew` where the server took the old one out of use.
export async function device(inspector, anew) {
  const kept = anew ? null : await get("kv", `device-${inspector}`);
  if (kept) return kept;
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const made = { id: uuid(), key: pair.privateKey, spki: base64(await crypto.subtle.exportKey("spki", pair.publicKey)) };
  await put("kv", made, `device-${inspector}`);
  return made;
}

// A visit begins with its check-in. Whoever taps twice, or in two tabs, begins one.
export async function begin(assignment, inspector, facts, checks) {
  const visit = {
    id: uuid(), assignment, inspector, created_at: Date.now(), rev: 0, events: [], head: START, blobs: [], shots: [],
    checks, findings: [], answers: {}, note: "", signature: null, frozen: 0,
  };
  await link(visit, "check_in", facts);
  return transact(["visits"], "readwrite", (store) => {
    const asked = store("visits").getAll();
    asked.onsuccess = () => asked.result.some((one) => one.assignment.id === assignment.id && owned(one, inspector)) || store("visits").put(visit);
  }).then(told);
}

async function link(chain, kind, facts) {
  const event = Object.assign({ n: chain.events.length, kind, at: Date.now(), mono: Math.round(performance.now()), prev: chain.head }, facts);
  const text = JSON.stringify(event);
  chain.events.push(text);
  chain.head = await sha256(bytes(text));
}

// Add events to a visit and set other `fields` of it, all or none. Hashing takes a moment: if another tab was faster,
// the visit is read again. Both functions see the visit as it was.
export async function append(id, events, fields, blob) {
  for (;;) {
    const seen = await own(id);
    if (!seen || seen.frozen) throw new Error("frozen");
    const chain = { events: seen.events.slice(), head: seen.head };
    for (const [kind, facts] of events(seen)) await link(chain, kind, facts);
    const more = fields ? await fields(seen, chain) : {};
    const edit = (visit) => visit.rev === seen.rev && Boolean(Object.assign(visit, chain, more));
    const kept = await change(id, edit, blob);
    if (kept) return kept;
  }
}

// What was written and may be changed until the end, as events.
function written(visit) {
  const events = visit.findings.map(({ id, rule, points, description, photos }) =>
    ["finding", { id, rule, points: points || null, description: description.trim(), photos }]);
  if (visit.assignment.form && Object.keys(visit.answers).length) {
    events.push(["checklist", { form: visit.assignment.form, answers: visit.answers }]);
  }
  if (visit.signature) events.push(["signature", visit.signature]);
  if (visit.note.trim()) events.push(["note", { text: visit.note.trim() }]);
  return events;
}

// Finished: what was written joins the chain, the phone signs its end and whose it is, and nothing changes any more.
export function freeze(id) {
  return append(id, written, async (visit, chain) => {
    const own = await device(visit.inspector.id);
    const whose = id + visit.assignment.id + visit.assignment.ticket.signature;
    const seal = await crypto.subtle.sign(ALGORITHM, own.key, bytes(whose + chain.head));
    return { frozen: Date.now(), device: own.id, seal: base64(seal) };
  });
}
