// The frame: which screen, what waits, when to send. Everything else is in the modules it names.

import { drain, sleep } from "./sync.js";
import { h, say, tap, waiting } from "./parts.js";
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

function top(title, up, { n, old, late }) {
  const words = n ? t`待上传 ${n}` + (late ? ` · ${age(old)}` : "") : t`无待上传`;
  part("top").replaceChildren(
    up ? h("a.back", { href: up, "aria-label": t`返回` }, "‹") : h("img", { src: `${BASE}/mark.svg`, alt: "", width: 30, height: 30 }),
    h("strong", {}, title), h(`a.chip${late ? ".late" : n ? ".some" : ""}`, { href: "#/queue" }, late ? "▲ " : "", words));
}

async function show(moved) {
  const turn = (turns += 1);
  const [name, ...ids] = location.hash.replace(/^#\/?/, "").split("/");
  const screen = await (SCREENS[name] || today)(...ids);
  const queued = await waiting();
  while (held > performance.now()) await sleep(40);
  if (turn !== turns) return;
  const foot = !SCREENS[name] && h("p.foot", {}, h("button.quiet.button", { type: "button", lang: english ? "zh" : "en", onclick: tap(() => switchLanguage(BASE)) }, english ? "中文" : "English"), h("a.button.quiet", { href: "/inspector" }, t`普通网页`));
  top(screen.title || (name === "queue" ? t`上传队列` : t`今日任务`), SCREENS[name] ? screen.up || "#/" : "", queued);
  part("main").replaceChildren(...[].concat(screen.nodes, foot || []).filter(Boolean));
  part("bar").replaceChildren(...(screen.bar || []));
  document.title = `${screen.title || t`今日任务`} · ${t`明察`}`;
  if (moved) {
    scrollTo(0, 0);
    part("main").focus();
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
    const title = part("top").querySelector("strong");
    const name = location.hash.replace(/^#\/?/, "").split("/")[0];
    const writing = document.activeElement && /^(TEXTAREA|INPUT)$/.test(document.activeElement.tagName);
    if ((TOLD[name] || !SCREENS[name]) && !writing) return show();
    return title && top(title.textContent, (part("top").querySelector(".back") || {}).hash, queued);
  }, 150);
}

const wake = () => drain().catch((failure) => setTimeout(() => { throw failure; }));

async function start() {
  addEventListener("hashchange", () => show(true));
  addEventListener("mc-show", () => show());
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
  if (english) learn(BASE, "en").catch(() => null);
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
