// One task: where it is, check-in, photos, findings, checklist, signature, check-out, the end.

import { append, begin, freeze, sha256, uuid } from "./chain.js";
import { amend, get, mine, own, owned, put, visits } from "./store.js";
import { drain } from "./sync.js";
import { CAMERA, PEN, PIN, badge, button, commit, drawing, full, h, keeping, notice, pictures, say, small, tap, thumb, tooBig, waiting } from "./parts.js";
import { PRESENCE, judged, look, nearby } from "./place.js";
import { KINDS, way } from "./today.js";
import { clock, either, metres, named, t } from "./words.js";

const go = (hash) => { location.hash = hash; };
const again = () => dispatchEvent(new Event("mc-show"));
const looking = {}; // a locating under way or to be confirmed, by assignment
const why = (assignment) => `why-${assignment}`; // where the reason is kept until it is part of the visit

export async function found(assignment) {
  const me = await mine();
  const visit = (await visits()).find((one) => one.assignment.id === assignment && owned(one, me));
  const bundle = await get("kv", "bundle");
  const task = visit ? visit.assignment : bundle && bundle.data.assignments.find((one) => one.id === assignment);
  return { visit, task, facts: bundle ? bundle.data : null, reason: await get("kv", why(assignment)) };
}

function place(task) {
  const row = (name, value) => value && [h("dt", {}, name), h("dd", {}, value)];
  return h("section.place", {}, h("h1", {}, named(task.site)), h("p", {}, task.site.address),
    h("p.row.near", {}, way(task.site), badge("", KINDS[task.kind] || ""), badge("", task.announced ? t`明查` : t`暗访`)),
    h("dl", {}, row(t`被考核单位`, either(task.site.unit_zh, task.site.unit_en)),
      row(t`检查事项`, named(task.item)), row(t`同组`, task.crew.join("、")),
      task.nonce && row(t`现场码`, h("span", {}, h("b.nonce", {}, task.nonce), " ", h("span.soft.small", {}, t`写在纸上，与重要情况一起拍下`)))));
}

// 1 Where the phone is: watched, shown as a preview, never a barrier

function locate(id, kind, confirm) {
  const run = looking[id];
  const start = () => {
    const watch = look((best) => { looking[id].best = best; again(); });
    looking[id] = { stop: watch.stop, kind };
    again();
    watch.found.then(({ fixes, denied }) => { looking[id] = { fixes: fixes.slice(-200), denied, kind }; again(); });
  };
  const words = kind === "check_in" ? t`签到` : t`签退`;
  if (!run || run.kind !== kind) return [button([drawing(PIN), t`定位并${words}`], start, "wide")];
  if (!run.fixes) {
    return [h("div.locating", {}, h("p", {}, run.best ? t`目前误差约 ${Math.round(run.best)} 米，最多再等 20 秒` : t`正在定位，最多 20 秒…`),
      run.best && button(t`就用这个位置`, run.stop, "second"))];
  }
  return confirm(run.fixes, run.denied, start, words);
}

function judgedHere(task, kept, save) {
  return (fixes, denied, start, words) => {
    const seen = judged(fixes, task.site);
    const [tone, name] = PRESENCE[seen.kind];
    const asks = tone !== "good";
    const detail = seen.away == null ? (denied ? t`手机没有允许定位。` : t`手机没有给出位置。`)
      : t`距检查点 ${metres(seen.away)}，误差约 ${metres(seen.accuracy)}。`;
    const reason = h("textarea", { id: "reason", rows: 2, maxLength: 500, value: kept || "", oninput: keeping((words) => put("kv", words, why(task.id))) });
    const confirm = tap(async () => {
      await commit();
      const words = asks ? ((await get("kv", why(task.id))) || "").trim() : "";
      if (asks && !words) {
        say(t`请写一句原因，写明就能继续。`, "bad");
        return document.getElementById("reason").focus();
      }
      const told = await save(fixes, words, seen);
      if (!told) return null;
      delete looking[task.id];
      await put("kv", "", why(task.id));
      say(told);
      return again();
    });
    return [notice(tone, name, h("p", {}, detail), h("p.soft.small", {}, t`这是预判，以服务器为准，不影响检查。`)),
      asks && h("label", { htmlFor: "reason" }, t`原因`), asks && reason,
      button(words, confirm, "wide"), button(t`重新定位`, start, "second")];
  };
}

async function arrive(task, fixes, reason, seen) {
  const queue = await waiting();
  if (queue.blocked) return go("#/queue");
  await begin(task, await mine(), { fixes, reason }, { in: { seen, at: Date.now() } });
  return t`已保存：签到`;
}

async function leave(id, fixes, reason, seen) {
  await append(id, (one) => (one.checks.out ? [] : [["check_out", { fixes, reason }]]), (one) => ({ checks: Object.assign({}, one.checks, { out: { seen, at: Date.now() } }) }));
  return t`已保存：签退`;
}

// 2 Photos: hashed and bound at once, kept as the camera made them

async function shoot(visit, input) {
  for (const file of Array.from(input.files)) {
    if (tooBig(file) || full(visit)) continue;
    const [content, fix] = await Promise.all([file.arrayBuffer(), nearby()]);
    const sha = await sha256(content);
    if (await get("blobs", sha)) {
      say(t`这张照片已经在本机。`, "warn");
      continue;
    }
    const blob = new Blob([content], { type: file.type });
    const facts = { sha256: sha, size: file.size, name: file.name, type: file.type, modified: file.lastModified, fix, nonce: visit.assignment.nonce || "" };
    const shot = { sha256: sha, size: file.size };
    await append(visit.id, () => [["photo", facts]], (one) => ({ shots: one.shots.concat(shot), blobs: one.blobs.concat(sha) }), { sha256: sha, blob, thumb: await small(blob) });
    say(t`已保存：照片`);
  }
  input.value = "";
  again();
}

const step = (name, done, words, ...inside) => h("section.step", {}, h("h2", {}, h(`span.dot${done ? ".done" : ""}`, { "aria-hidden": "true" }, done ? "✓" : ""), name, h("span.count", {}, words || "")), ...inside);

async function photos(visit) {
  const taken = await pictures(visit);
  return step(t`照片`, visit.shots.length > 0, visit.shots.length,
    visit.shots.length ? h("div.grid", {}, taken.map((picture, at) => thumb(picture, t`照片 ${at + 1}`))) : h("p.soft", {}, t`拍下的原图会保存在本机，不压缩。`));
}

function findings(visit, facts) {
  const rules = {};
  facts.evaluations.forEach((one) => one.catalogue && one.catalogue.rules.forEach((rule) => { rules[rule.id] = rule; }));
  return step(t`问题`, visit.findings.length > 0, visit.findings.length,
    h("ul.lines", {}, visit.findings.map((one) => h("li", {}, h("a.line", { href: `#/f/${visit.id}/${one.id}` },
      h("span", {}, rules[one.rule] ? named(rules[one.rule]) : t`未选条目`, h("span.soft.small.block", {}, one.description.slice(0, 60))),
      one.ready ? badge("good", t`已保存`) : badge("warn", t`未写完`))))),
    !visit.findings.length && h("p.soft", {}, t`没有发现问题就不用填。`));
}

function checklist(visit, form) {
  if (!form || !window.McChecklist) return null;
  const wrong = window.McChecklist.errors(form, visit.answers).length;
  return step(t`检查表`, !wrong, wrong ? t`还有 ${wrong} 处` : "", h("a.button.second", { href: `#/c/${visit.id}` }, t`填写检查表`));
}

async function signature(visit) {
  const signed = visit.signature;
  const kept = signed && await get("blobs", signed.sha256);
  return step(t`签名`, signed, signed && signed.signed_by, kept && h("img.signed", { src: kept.thumb, alt: signed.signed_by }),
    h("a.button.second", { href: `#/g/${visit.id}` }, signed ? t`重新签名` : t`请现场人员签名`));
}

function end({ id, note, checks, assignment }, form, reason) {
  const finish = tap(async () => {
    await commit();
    const visit = await own(id);
    if (!visit) throw new Error("frozen");
    if (visit.frozen) return go("#/queue");
    const draft = visit.findings.find((one) => !one.ready);
    if (draft) {
      say(t`有一条问题没有写完，请写完或删除。`, "bad");
      return go(`#/f/${id}/${draft.id}`);
    }
    const wrong = form && window.McChecklist && window.McChecklist.errors(form, visit.answers).length;
    if (wrong && !confirm(t`检查表还有 ${wrong} 处没有填好。确定完成？`)) return go(`#/c/${id}/all`);
    await freeze(id);
    say(t`已保存，等待上传`);
    drain();
    return go("#/queue");
  });
  return step(t`签退`, checks.out, checks.out && clock(checks.out.at),
    h("label", { htmlFor: "note" }, t`现场说明（选填）`),
    h("textarea", { id: "note", rows: 2, maxLength: 2000, value: note, oninput: keeping((words) => amend(id, (one) => { one.note = words; })) }),
    checks.out ? [h("p.soft.small", {}, t`完成后不能再改，进入上传队列。`), button(t`完成检查`, finish, "wide")]
      : locate(assignment.id, "check_out", judgedHere(assignment, reason, (...found) => leave(id, ...found))));
}

export async function visit(id) {
  const { visit: one, task, facts, reason } = await found(id);
  if (!task) return { nodes: [h("p", {}, t`没有这项任务。`)] };
  if (one && one.frozen) {
    go("#/queue");
    return { nodes: [] };
  }
  const title = named(task.site);
  if (!one) return { title, nodes: [place(task), ...locate(id, "check_in", judgedHere(task, reason, (...seen) => arrive(task, ...seen)))] };
  const form = task.form && facts.forms[task.form];
  const [tone, name] = PRESENCE[one.checks.in.seen.kind];
  const input = h("input.hidden", { id: "camera", type: "file", accept: "image/jpeg,image/png,image/webp", capture: "environment", onchange: tap((event) => shoot(one, event.target)) });
  return {
    title,
    nodes: [place(task), step(t`签到`, true, clock(one.checks.in.at), h("p", {}, badge(tone, name))), await photos(one), findings(one, facts), checklist(one, form), await signature(one), end(one, form, reason)],
    bar: [input, h("label.button.wide", { htmlFor: "camera" }, drawing(CAMERA), t`拍照`), h("a.button.wide.second", { href: `#/f/${one.id}/${uuid()}` }, drawing(PEN), t`填问题`)],
  };
}
