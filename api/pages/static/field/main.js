// The frame: which screen, what waits, when to send. Everything else is in the modules it names.

import { drain, sleep } from "./sync.js";
import { flush, h, say, tap, waiting, writing } from "./parts.js";
import { nearby } from "./place.js";
import { finding } from "./finding.js";
import { queue } from "./queue.js";
import { filling, signing } from "./sign.js";
import { submitted, today } from "./today.js";
import { visit } from "./visit.js";
import { age, english, learn, switchLanguage, t } from "./words.js";

const SCREENS = { v: visit, f: finding, c: filling, g: signing, s: submitted, queue };
const TOLD = { v: 1, s: 1, queue: 1 }; // screens that follow what happens elsewhere; the others are being written on
const BASE = document.querySelector("link[rel=icon]").href.replace(/\/mark.svg$/, "");
const part = (id) => document.getElementById(id);
let turns = 0;
let held = 0; // until when nothing may be drawn: between a finger's coming down and its going up the tap would be lost

const address = () => location.hash.replace(/^#\/?/, "").split("/");
const follows = () => TOLD[address()[0]] || !SCREENS[address()[0]];

function chip({ n, old, late, lost }) {
  const words = [n && t`待上传 ${n}` + (late ? ` · ${age(old)}` : ""), lost && t`缺 ${lost}`].filter(Boolean).join(" · ") || t`无待上传`;
  const red = late || lost;
  return h(`a.chip${red ? ".late" : n ? ".some" : ""}`, { href: "#/queue" }, red ? "▲ " : "", words);
}

// Put new nodes around the field that is being written in, which stays where it is with its keyboard; `twin` is its like.
function around(place, nodes, field, twin) {
  const [old, at] = [[...place.children].find((one) => one.contains(field)), nodes.findIndex((one) => one.contains(twin))];
  if (!old || at < 0) return place.replaceChildren(...nodes);
  [...place.childNodes].forEach((one) => one !== old && one.remove());
  old.before(...nodes.slice(0, at));
  old.after(...nodes.slice(at + 1));
  return old === field || around(old, [...nodes[at].childNodes], field, twin);
}

async function show(moved) {
  const turn = (turns += 1);
  const [name, ...ids] = address();
  await flush().catch(() => null); // what is drawn is read from the disk
  const screen = await (SCREENS[name] || today)(...ids);
  const queued = await waiting();
  while (held > performance.now()) await sleep(40);
  if (turn !== turns) return;
  const foot = !SCREENS[name] && h("p.foot", {}, h("button.quiet.button", { type: "button", lang: english ? "zh" : "en", onclick: tap(async () => await switchLanguage(BASE) || say("英文要联网取一次 · English: connect once", "warn")) }, english ? "中文" : "English"), h("a.button.quiet", { href: "/inspector" }, t`普通网页`));
  const title = screen.title || (name === "queue" ? t`上传队列` : t`今日任务`);
  part("top").replaceChildren(
    SCREENS[name] ? h("a.back", { href: screen.up || "#/", "aria-label": t`返回` }, "‹") : h("img", { src: `${BASE}/mark.svg`, alt: "", width: 30, height: 30 }),
    h("strong", {}, title), chip(queued));
  const nodes = [...screen.nodes, foot].filter(Boolean);
  const field = moved ? null : writing();
  around(part("main"), nodes, field, field && nodes.map((one) => one.querySelector(`[id="${field.id}"]`)).find(Boolean));
  part("bar").replaceChildren(...(screen.bar || []));
  document.title = `${title} · ${t`明察`}`;
  if (moved) {
    scrollTo(0, 0);
    part("main").focus({ preventScroll: true }); // a tall top would hide its first lines
  }
  if (screen.shown) screen.shown();
}

// What another tab or the queue changed; not under the hands of somebody who writes.
let soon = 0;
function follow() {
  clearTimeout(soon);
  soon = setTimeout(async () => {
    const queued = await waiting();
    if (held > performance.now()) return follow();
    if (follows() && !writing()) return show();
    const old = document.querySelector(".chip");
    return old && old.replaceWith(chip(queued));
  }, 150);
}

const wake = () => drain().catch((failure) => setTimeout(() => { throw failure; }));

async function start() {
  addEventListener("hashchange", () => show(true));
  addEventListener("mc-show", () => follows() && show());
  addEventListener("storage", (event) => event.key === "mc-told" && follow());
  addEventListener("mc-told", follow);
  const hold = (name, ms) => addEventListener(name, () => { held = performance.now() + ms; }, true);
  hold("pointerdown", 5000);
  ["pointerup", "pointercancel"].forEach((name) => hold(name, 99)); // a click follows
  hold("click", 0);
  ["online", "pageshow"].forEach((name) => addEventListener(name, wake));
  addEventListener("offline", follow);
  document.addEventListener("visibilitychange", () => document.hidden || wake());
  setInterval(wake, 30000);
  await show();
  if (english) learn(BASE).catch(() => null);
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
  if (navigator.permissions) navigator.permissions.query({ name: "geolocation" }).then((found) => found.state === "granted" && nearby().then(follow), () => null);
  if (!navigator.serviceWorker) return;
  const before = navigator.serviceWorker.controller;
  navigator.serviceWorker.addEventListener("message", (event) => event.data === "drain" && wake());
  navigator.serviceWorker.addEventListener("controllerchange", () => before && say(t`已有新版本，下次打开时使用。`));
  const worker = await navigator.serviceWorker.register("/inspector/phone/sw.js", { scope: "/inspector/phone/" });
  addEventListener("offline", () => worker.sync && worker.sync.register("drain").catch(() => null));
}

tap(start)();
