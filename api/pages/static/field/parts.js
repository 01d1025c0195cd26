// The parts that screens are made of. No markup is ever built from text: what people wrote stays text.

import { all, get, mine, owned, visits } from "./store.js";
import { size, t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const SIGNS = { info: "ⓘ", good: "✓", warn: "▲", bad: "✕" };
const DAY_MS = 864e5;
const BIGGEST = 25 * 1048576;

// h("p.soft", { onclick }, "words", node, …)
export function h(name, facts, ...inside) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  Object.keys(facts || {}).forEach((key) => {
    if (key in node) node[key] = facts[key];
    else if (facts[key] != null) node.setAttribute(key, facts[key]);
  });
  [].concat(...inside).forEach((one) => one != null && one !== false && node.append(one));
  return node;
}

export function drawing(path, turn) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  if (turn) line.setAttribute("transform", `rotate(${turn} 12 12)`);
  svg.append(line);
  return svg;
}

export const CAMERA = "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7";
export const PEN = "M5 19l1-4L16 5l3 3L9 18zM13.5 7.5l3 3";
export const PIN = "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11zM12 8a2.2 2.2 0 1 0 0 4.4A2.2 2.2 0 0 0 12 8";
export const ARROW = "M12 3l6 17-6-4-6 4z";

export const badge = (tone, words) => h(`span.badge.${tone}`, {}, tone ? `${SIGNS[tone]} ` : "", words);
export const notice = (tone, title, ...inside) => h(`div.notice.${tone}`, {}, h("span.sign", { "aria-hidden": "true" }, SIGNS[tone]), h("div", {}, title && h("strong", {}, title), ...inside));
export function button(words, work, kind) {
  let busy = false; // a second tap while the first is under way is none
  const onclick = async (event) => {
    if (busy) return;
    busy = true;
    await work(event);
    busy = false;
  };
  return h(`button.button${kind ? `.${kind}` : ""}`, { type: "button", onclick }, words);
}

let hiding = 0;
export function say(words, tone) {
  const place = document.getElementById("said");
  place.className = tone || "good";
  place.textContent = words;
  clearTimeout(hiding);
  hiding = setTimeout(() => { place.textContent = ""; }, tone === "bad" ? 12000 : 3000);
}

const noRoom = (failure) => failure && /Quota/.test(failure.name);

// Run what a tap starts; a full disk is told in words, and nothing of it is half kept.
export const tap = (work) => (event) => Promise.resolve(work(event)).catch((failure) => {
  say(noRoom(failure) ? t`手机存储已满：刚才这一项没有保存，以前保存的都在。请先上传或清理手机，再试一次。`
    : t`没有保存，请再试一次。`, "bad");
  if (!noRoom(failure)) setTimeout(() => { throw failure; });
});

// What is being written is kept at every key, one writing after the other, each of what the fields hold by then. What
// found no room is tried again with the next.
const owed = new Set();
let lastWrite = Promise.resolve();
export const flush = () => (lastWrite = lastWrite.catch(() => null).then(async () => {
  for (const write of owed) {
    owed.delete(write);
    await write().catch((failure) => {
      if (noRoom(failure)) owed.add(write);
      throw failure;
    });
  }
}));
export const keep = tap((write) => {
  owed.add(write);
  return flush();
});
export function keeping(save) {
  let field = null;
  const write = () => save(field.value);
  return (event) => {
    field = event.target;
    return keep(write);
  };
}

// The field that somebody writes in, and its end before anything is made of it: an input method hands over its words.
export const writing = () => [document.activeElement].find((one) => one && /^(TEXTAREA|INPUT)$/.test(one.tagName));
export function commit() {
  const field = writing();
  if (field) field.blur();
  return flush();
}

export const tooBig = (file) => file.size > BIGGEST && say(t`这张照片 ${size(file.size)}，超过 25 MB，请降低相机的像素再拍。`, "bad");

// The server takes 500 events of a visit; findings, checklist, signature, note and check-out are events too.
export const full = (visit) => visit.events.length + visit.findings.length > 490 && (say(t`一次检查最多约 490 张照片和问题，请完成这次检查。`, "bad"), true);

// A small picture for the screen; the photo itself stays as the camera made it.
export async function small(blob) {
  try {
    const bitmap = await createImageBitmap(blob);
    const { width, height } = bitmap;
    const side = Math.min(width, height);
    const canvas = h("canvas", { width: 176, height: 176 });
    canvas.getContext("2d").drawImage(bitmap, (width - side) / 2, (height - side) / 2, side, side, 0, 0, 176, 176);
    bitmap.close();
    return canvas.toDataURL("image/jpeg", 0.7);
  } catch (unreadable) {
    return "";
  }
}

export const pictures = (visit) => Promise.all(visit.shots.map((shot) => get("blobs", shot.sha256).then((kept) => kept && kept.thumb)));
export const thumb = (picture, words) => (picture ? h("img.thumb", { src: picture, alt: words }) : h("span.thumb", {}, words));

// What waits, and how long the oldest has waited; `others`: how much waits for whom else; `lost`: of how many visits the
// server misses photos that are no longer here.
export async function waiting() {
  const [me, here, sent, bundle] = await Promise.all([mine(), visits(), all("sent"), get("kv", "bundle")]);
  const others = {};
  const lost = ((bundle && bundle.data.waiting) || []).filter((id) => !here.concat(sent).some((one) => one.id === id)).length;
  const frozen = here.filter((visit) => {
    if (owned(visit, me)) return visit.frozen;
    const { name } = visit.inspector;
    others[name] = (others[name] || 0) + 1;
    return false;
  }).sort((one, other) => one.frozen - other.frozen);
  const old = frozen.length ? Date.now() - frozen[0].frozen : 0;
  return { frozen, others, lost, n: frozen.length, old, late: old > DAY_MS, blocked: old > 3 * DAY_MS };
}

export const theirs = ({ others, lost }) => Object.keys(others).map((name) => notice("warn", t`${others[name]} 项属于${name}`, h("p", {}, t`请本人登录后继续。`)))
  .concat(lost ? notice("bad", t`服务器还缺 ${lost} 项检查的照片，但不在本机`, h("p", {}, t`请用当时那部手机上传，或联系办公室。`)) : []);

export const tooOld = (way) => notice("bad", t`有检查超过 72 小时没有上传`, h("p", {}, t`请先联网上传，再开始新的检查。`), way);

export async function progress(id) {
  const [of, at, total] = JSON.parse(localStorage.getItem("mc-progress") || "[]");
  return of === id && total ? at / total : null;
}

export function download(parts, name) {
  const link = h("a", { href: URL.createObjectURL(new Blob(parts)), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 6e4);
}
