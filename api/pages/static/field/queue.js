// 队列: what waits, how far each visit has come, what the server said, and the way out as a file.

import { get, mine } from "./store.js";
import { drain, sheet, state } from "./sync.js";
import { badge, button, download, h, notice, progress, say, tap, theirs, tooOld, waiting } from "./parts.js";
import { signIn } from "./today.js";
import { age, dayOf, moment, named, size, t } from "./words.js";

async function line(visit) {
  const share = await progress(visit.id);
  const bytes = visit.shots.reduce((sum, shot) => sum + shot.size, 0);
  const tone = visit.problems ? "warn" : share != null ? "info" : "";
  const words = visit.problems ? t`需要处理` : share != null ? t`正在上传` : t`待上传`;
  return h("li", {}, h("div.line", {}, h("span", {}, h("strong", {}, named(visit.assignment.site)), h("span.soft.small.block", {}, moment(visit.frozen), " · ", t`照片 ${visit.shots.length} 张 ${size(bytes)}`)), badge(tone, words)),
    share != null && [h("progress", { max: 1, value: share, "aria-label": t`上传进度` }), h("span.soft.small.block", {}, `${Math.round(share * 100)}%`)],
    (visit.problems || []).map((one) => notice("warn", "", h("p", {}, named(one)))));
}

// A tar file in its oldest form: any computer opens it, and no photo has to be read into memory.
function entry(name, length) {
  const head = new Uint8Array(512);
  const write = (at, text) => head.set(new TextEncoder().encode(text), at);
  const octal = (number, digits) => number.toString(8).padStart(digits, "0");
  write(0, name);
  write(100, "0000644");
  write(124, octal(length, 11));
  write(148, "        ");
  write(148, `${octal(head.reduce((sum, byte) => sum + byte, 0), 6)}\u0000 `);
  return head;
}

async function exported(frozen) {
  const parts = [];
  const add = (name, blob) => parts.push(entry(name, blob.size), blob, new Uint8Array((512 - blob.size % 512) % 512));
  for (const visit of frozen) {
    add(`visits/${visit.id}.json`, new Blob([JSON.stringify(sheet(visit))]));
    for (const sha of visit.blobs) {
      const kept = await get("blobs", sha);
      if (kept) add(`blobs/${sha}`, kept.blob);
    }
  }
  download(parts.concat(new Uint8Array(1024)), `mingcha-${dayOf(Date.now())}.tar`);
}

export async function queue() {
  const [queued, me] = [await waiting(), await mine()];
  const { frozen, n, old, late, lost, blocked } = queued;
  if (!n) say("");
  return { nodes: [
    h(`div.hero${late || lost ? ".late" : ""}`, {}, h("h1", {}, n || !lost ? `${t`待上传`} ${n}` : t`服务器还缺 ${lost} 项`), h("p", {}, n ? t`最早一项已等 ${age(old)}` : !lost && t`全部已经提交。`)),
    state.signedOut && signIn(),
    blocked && tooOld(),
    !navigator.onLine && notice("info", t`现在没有网络`, h("p", {}, t`内容都在，有网时自动上传。`)),
    n > 0 && navigator.onLine && button(state.busy ? t`正在上传…` : t`现在上传`, tap(() => drain(true)), "wide"),
    h("ul.lines", {}, await Promise.all(frozen.map(line))),
    ...theirs(queued),
    n > 0 && h("section", {}, h("h2", {}, t`传不上去怎么办`), h("p.soft", {}, t`把队列存成文件，交给办公室。队列仍在。`), button(t`存成文件`, tap(() => exported(frozen)), "second")),
    h("p.soft.small", {}, me ? me.name : "", me ? " · " : "", t`收齐才算已提交，才从本机删除。`),
  ] };
}
