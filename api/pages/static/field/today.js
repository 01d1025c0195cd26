// 今日任务: what is open today, what opens later, what has been handed in.

import { all, get, mine, owned, visits } from "./store.js";
import { state } from "./sync.js";
import { ARROW, badge, button, download, drawing, h, notice, say, theirs, tooOld, waiting } from "./parts.js";
import { bearing, beyond, distance, heading, known } from "./place.js";
import { age, day, dayOf, metres, either, moment, named, t, weekday } from "./words.js";

const SKEW_MS = 3e5;

export const KINDS = {
  random: t`双随机`, special: t`专项`, patrol: t`日常巡查`,
  third_party: t`第三方`, revisit: t`回头看`,
};

// How far and which way, from the last position that the phone knew.
export function way(site) {
  const fix = known();
  if (!fix) return null;
  if (beyond(fix, site) <= 0) return h("span.way", {}, t`已在范围内`);
  const turn = bearing(fix[0], fix[1], site.lat, site.lon);
  return h("span.way", {}, drawing(ARROW, turn), `${heading(turn)} ${metres(distance(fix[0], fix[1], site.lat, site.lon))}`);
}

function task(one, visit, today) {
  const mark = visit ? badge("info", t`进行中`) : one.day < today ? badge("warn", t`已过日子`) : badge("", t`待检查`);
  return h("li", {}, h("a.task", { href: `#/v/${one.id}` },
    h("span.row", {}, mark, h("span.soft", {}, one.day === today ? "" : day(one.day), " ", KINDS[one.kind] || "", " · ", one.announced ? t`明查` : t`暗访`)),
    h("strong", {}, named(one.site)),
    h("span", {}, one.site.address),
    h("span.row.soft", {}, either(one.site.unit_zh, one.site.unit_en), way(one.site))));
}

export function signIn() {
  return notice("warn", t`登录过期，内容都在，登录后自动续传`,
    h("a.button", { href: "/login?next=/inspector/phone/" }, t`登录`));
}

function hints(bundle) {
  const told = [];
  const ahead = bundle ? bundle.ahead : 0;
  if (state.signedOut) told.push(signIn());
  if (Math.abs(ahead) > SKEW_MS) {
    const off = age(Math.abs(ahead));
    told.push(notice("warn", ahead > 0 ? t`手机时间快了 ${off}` : t`手机时间慢了 ${off}`,
      h("p", {}, t`请在系统设置里打开“自动设置时间”。检查照常进行，服务器会校正。`)));
  }
  return told;
}

function later(sealed) {
  const days = {};
  sealed.forEach((date) => { days[date] = (days[date] || 0) + 1; });
  return h("section.sealed", {}, h("h2", {}, t`未启封`),
    h("ul", {}, Object.keys(days).sort().map((date) => h("li", {}, h("strong", {}, day(date)), " ",
      t`${days[date]} 项，当日06:00开启`))),
    h("p.soft.small", {}, t`开启当天早上请联网打开一次本页。`));
}

function done(sent) {
  const one = (note) => {
    const tone = (note.problems || []).length ? "warn" : (note.flags || []).length ? "info" : "good";
    return h("li", {}, h("a.line", { href: `#/s/${note.id}` }, h("span", {}, named(note.site), h("span.soft.small.block", {}, moment(note.at))), badge(tone, t`已提交`)));
  };
  return h("section", {}, h("h2", {}, t`已提交`, h("span.count", {}, sent.length)), h("ul.lines", {}, sent.map(one)));
}

export async function today() {
  const me = await mine();
  const [bundle, begun, sent, queue] = await Promise.all([get("kv", "bundle"), ...[visits(), all("sent")].map((list) => list.then((known) => known.filter((one) => owned(one, me)))), waiting()]);
  const facts = bundle && bundle.data;
  const date = dayOf(Date.now() - (bundle ? bundle.ahead : 0));
  const told = hints(bundle);
  if (!facts) {
    if (!state.signedOut) told.push(h("p.soft", {}, navigator.onLine ? t`正在取任务…` : t`第一次打开需要联网。`));
    return { nodes: told };
  }
  const handed = new Set(sent.map((note) => note.assignment));
  const of = {};
  begun.forEach((visit) => { of[visit.assignment.id] = visit; });
  // A visit that has begun stays in sight even if the server no longer lists its task.
  const listed = facts.assignments.concat(begun.map((visit) => visit.assignment).filter((one) => !facts.assignments.some((other) => other.id === one.id)));
  const open = listed.filter((one) => !handed.has(one.id) && !(of[one.id] ? of[one.id].frozen : one.closed));
  open.sort((one, other) => Boolean(of[other.id]) - Boolean(of[one.id]) || (one.day < other.day ? 1 : -1));
  const tasks = open.filter((one) => of[one.id] || one.day <= date);
  const out = [h("div.hero", {}, h("h1", {}, day(date), h("span", {}, weekday(date))), h("p", {}, facts.inspector.name, " · ", t`${tasks.length} 项待检查`)), ...told, ...theirs(queue)];
  if (queue.blocked) out.push(tooOld(h("a.button", { href: "#/queue" }, t`去上传`)));
  out.push(tasks.length ? h("ul.tasks", {}, tasks.map((one) => task(one, of[one.id], date))) : h("p.empty", {}, t`现在没有要检查的地点。`));
  if (facts.sealed.length) out.push(later(facts.sealed));
  if (sent.length) out.push(done(sent.sort((one, other) => other.at - one.at)));
  out.push(h("p.soft.small", {}, t`任务更新于 ${moment(bundle.at)}`));
  return { nodes: out };
}

export async function submitted(id) {
  const note = await get("sent", id);
  if (!owned(note, await mine())) return { nodes: [h("p", {}, t`没有这条记录。`)] };
  say(""); // 已保存，等待上传 is over
  const lines = (title, tone, list) => list && list.length > 0 && h("section", {}, h("h2", {}, title), list.map((one) => notice(tone, "", h("p", {}, named(one)))));
  const refused = Object.values(note.refused || {});
  const save = () => download([note.receipt], `receipt-${note.id}.txt`);
  return { title: named(note.site), nodes: [
    notice("good", t`已提交`, h("p", {}, t`服务器 ${moment(note.at)} 收齐：照片 ${note.photos} 张，问题 ${note.findings} 条。`)),
    lines(t`需要办公室处理`, "warn", note.problems),
    lines(t`未作为证据的照片`, "warn", refused),
    lines(t`提示：督导会看到`, "info", note.flags),
    note.receipt && h("details", {}, h("summary", {}, t`回执`), h("pre", {}, note.receipt), button(t`保存回执`, save, "second")),
  ] };
}
