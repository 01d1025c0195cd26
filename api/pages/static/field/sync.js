// The queue on its way to the server: a visit's record, then the photos that the server misses, in pieces, until the
// server says that nothing is missing. Only then is anything deleted here.

import { device } from "./chain.js";
import { all, change, get, put, settle, told } from "./store.js";
import { t } from "./words.js";

const API = "/api/v1";
const PIECE = 262144;
const TRIES = 5;
const WAIT_MS = 60000;
const FRESH_MS = 120000;
const SOON_MS = 3000;

export const state = { signedOut: false, busy: false, again: false };
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const patience = (attempt) => sleep(Math.min(150 * 2 ** attempt, 8000) * (0.5 + Math.random()));
class Later extends Error {} // no network, or the server asks for patience: the queue stays as it is
class SignedOut extends Error {}

// One try. Says no by throwing, so that every caller has one way to fail.
async function once(path, options, token) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), WAIT_MS);
  try {
    const headers = Object.assign({ Accept: "application/json" }, token ? { Authorization: `Bearer ${token}` } : {}, options.headers);
    const answer = await fetch(path, Object.assign({ cache: "no-store", credentials: token ? "omit" : "same-origin", signal: stop.signal }, options, { headers }));
    if (answer.status === 401 || answer.redirected || (!token && answer.status === 403)) throw new SignedOut();
    if ([400, 408, 429].indexOf(answer.status) >= 0 || answer.status >= 500) throw new Later(); // 400: a body was cut
    return { status: answer.status, headers: answer.headers, body: options.method === "HEAD" || answer.status === 204 || answer.status === 304 ? null : await answer.json() };
  } catch (failure) {
    throw failure instanceof SignedOut ? failure : new Later();
  } finally {
    clearTimeout(timer);
  }
}

async function request(path, options, token) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(path, options, token);
    } catch (failure) {
      if (failure instanceof SignedOut || attempt >= TRIES || !navigator.onLine) throw failure;
      await patience(attempt - 1);
    }
  }
}

// 1 Who this phone is: a token by the session of whoever is signed in, asked for anew when it has run out

async function enrol(known) {
  const me = (await request("/inspector/phone/session", {})).body;
  if (known && known.inspector.id === me.inspector.id) return known;
  if (known) await put("kv", null, "bundle"); // a colleague took this phone: what waits stays its owner's
  for (const anew of [false, true]) {
    const own = await device(me.inspector.id, anew);
    const body = JSON.stringify({ device: own.id, public_key: own.spki, label: navigator.userAgent.slice(0, 100) });
    const headers = { "Content-Type": "application/json", "X-Form-Token": me.form_token };
    const answer = await request("/inspector/phone/enrol", { method: "POST", headers, body });
    if (answer.status === 201) {
      await put("kv", answer.body, "token");
      return answer.body;
    }
  }
  throw new SignedOut();
}

// Asked once a page, for the phone may be in other hands; a session that is over changes nothing.
let met = false;
async function whoever() {
  const kept = await get("kv", "token");
  if (kept && met) return kept;
  met = true;
  return enrol(kept).catch((failure) => {
    if (kept) return kept;
    throw failure;
  });
}

async function allowed(work) {
  try {
    const kept = await whoever();
    try {
      return await work(kept);
    } catch (failure) {
      if (!(failure instanceof SignedOut)) throw failure;
      return await work(await enrol());
    }
  } catch (failure) {
    if (failure instanceof SignedOut) {
      if (!state.signedOut) told();
      state.signedOut = true;
    }
    if (failure instanceof Later && navigator.onLine) setTimeout(drain, SOON_MS); // not the timer's half minute
    if (failure instanceof SignedOut || failure instanceof Later) return null;
    throw failure;
  }
}

// 2 What there is to do, kept for days

async function refresh({ token }) {
  const kept = (await get("kv", "bundle")) || {};
  const asked = Date.now();
  const answer = await request(`${API}/phone/bundle`, { headers: kept.tag ? { "If-None-Match": kept.tag } : {} }, token);
  const now = Date.now();
  state.signedOut = false;
  if (answer.status === 304) return put("kv", Object.assign(kept, { at: now }), "bundle");
  if (answer.status !== 200) throw new Later();
  const ahead = (asked + now) / 2 - answer.body.server_time;
  return put("kv", { tag: answer.headers.get("ETag"), at: now, ahead, data: answer.body }, "bundle");
}

// 3 One visit

export function sheet(visit) {
  return {
    format: 1, visit: visit.id, assignment: visit.assignment.id, device: visit.device, ticket: visit.assignment.ticket,
    created_at: visit.created_at, sent_at: Date.now(), events: visit.events, head: visit.head, signature: visit.seal,
  };
}

const hand = (visit, token) => request(`${API}/visits`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sheet(visit)) }, token);

// The server's offset, by its answer to HEAD or PUT.
const offset = ({ headers }) => (headers.get("Upload-Complete") === "?1" ? Infinity : Number(headers.get("Upload-Offset")) || 0);

// Pieces at the offset that the server names; after any trouble it is asked again. What arrived otherwise than it is
// here is sent once more from the start (422, offset 0).
async function carry({ sha256, blob }, token, progress) {
  const path = `${API}/blobs/${sha256}`;
  const ask = () => request(path, { method: "HEAD" }, token);
  let at = offset(await ask());
  for (let failures = 0; at < blob.size;) {
    progress(at);
    let answer = null;
    try {
      const headers = { "Upload-Offset": at, "Upload-Length": blob.size, "Content-Type": "application/octet-stream" };
      answer = await once(path, { method: "PUT", body: blob.slice(at, at + PIECE), headers }, token);
    } catch (failure) {
      failures += 1;
      if (failure instanceof SignedOut || failures >= TRIES || !navigator.onLine) throw failure;
      await patience(failures - 1);
      answer = await ask();
    }
    if (answer.status === 204) failures = 0;
    else if (answer.status !== 200 && (!answer.headers.has("Upload-Offset") || (failures += 1) >= TRIES)) return answer.body;
    at = offset(answer);
  }
  progress(blob.size);
  return null;
}

const words = (body) => ((body && (body.errors || body.problems)) || []).map(({ zh, en }) => ({ zh, en }));
const stuck = (visit, problems) => change(visit.id, (one) => { one.problems = problems; });

async function send(visit, token) {
  let answer = await hand(visit, token);
  for (let round = 0; round < 3 && answer.status < 300 && answer.body.missing.length; round += 1) {
    const sizes = {};
    visit.shots.concat(visit.signature || []).forEach((one) => { sizes[one.sha256] = one.size; });
    const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
    let got = total - answer.body.missing.reduce((sum, sha) => sum + (sizes[sha] || 0), 0);
    for (const sha of answer.body.missing) {
      const blob = await get("blobs", sha);
      if (!blob) continue; // lost here: the others must arrive, and the office may take the visit in without it
      const refused = await carry(blob, token, (at) => tell(visit.id, got + at, total));
      if (refused) return stuck(visit, words(refused));
      got += sizes[sha] || 0;
    }
    answer = await hand(visit, token);
  }
  if (answer.status >= 300) return stuck(visit, words(answer.body));
  if (answer.body.status === "waiting") return stuck(visit, [{ zh: t`照片没有收齐，请联系办公室。` }]);
  const { status, problems, flags, receipt, refused, server_time: at } = answer.body;
  const { site, id: assignment } = visit.assignment;
  return settle(visit, { id: visit.id, inspector: visit.inspector, assignment, site, at, status, problems, flags, receipt, refused, photos: visit.shots.length, findings: visit.findings.length });
}

function tell(id, at, total) {
  localStorage.setItem("mc-progress", JSON.stringify([id, at, total]));
  told();
}

// 4 One drain at a time, whatever number of tabs; without locks (Safari before 15.4) two may send the same, which the
// server takes once

const alone = (work) => (navigator.locks ? navigator.locks.request("mingcha-drain", { ifAvailable: true }, (lock) => lock && work()) : work());

export async function drain(eager) {
  if (!navigator.onLine) return;
  if (state.busy) {
    state.again = true;
    return;
  }
  state.busy = true;
  state.again = false;
  try {
    await alone(() => allowed(async (me) => {
      const kept = await get("kv", "bundle");
      if (eager || !kept || Date.now() - kept.at > FRESH_MS || state.signedOut) await refresh(me);
      const waiting = (await all("visits")).filter((visit) => visit.frozen && visit.inspector.id === me.inspector.id && (eager || !visit.problems));
      waiting.sort((one, other) => one.frozen - other.frozen);
      for (const visit of waiting) await send(visit, me.token);
      if (waiting.length) await refresh(me);
    }));
  } finally {
    state.busy = false;
    localStorage.removeItem("mc-progress");
    told();
    if (state.again) drain();
  }
}
