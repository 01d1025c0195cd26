// The signature of who was there, and the checklist: each a screen of its own.

import { sha256 } from "./chain.js";
import { amend, get, own } from "./store.js";
import { button, commit, h, keep, keeping, say, tap } from "./parts.js";
import { named, t } from "./words.js";

const back = (visit) => `#/v/${visit.assignment.id}`;
const missing = () => ({ nodes: [h("p", {}, t`这里不能再改。`)] });

export async function signing(id) {
  const visit = await own(id);
  if (!visit || visit.frozen) return missing();
  const pad = h("canvas", { width: 660, height: 330, "aria-label": t`在此签名`, role: "img" });
  const pen = pad.getContext("2d");
  let drawn = 0;
  const clear = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, 660, 330);
    drawn = 0;
  };
  clear();
  Object.assign(pen, { lineWidth: 5, lineCap: "round", lineJoin: "round", strokeStyle: "#1a1f2b" });
  const at = (event) => {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) * 660 / box.width, (event.clientY - box.top) * 330 / box.height];
  };
  pad.onpointerdown = (event) => {
    pad.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  };
  pad.onpointermove = (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    pen.lineTo(...at(event));
    pen.stroke();
    drawn += 1;
  };
  const name = h("input", { id: "name", maxLength: 100, autocomplete: "off", value: visit.signer || "", oninput: keeping((words) => amend(id, (one) => { one.signer = words; })) });
  const save = tap(async () => {
    await commit();
    const by = name.value.trim();
    if (drawn < 3 || !by) {
      say(t`请签名并写上姓名。`, "bad");
      return;
    }
    const blob = await new Promise((done) => pad.toBlob(done, "image/png"));
    const sha = await sha256(await blob.arrayBuffer());
    await amend(id, (one) => {
      one.blobs = one.blobs.filter((other) => !one.signature || other !== one.signature.sha256).concat(sha);
      one.signature = { sha256: sha, size: blob.size, signed_by: by };
    }, { sha256: sha, blob, thumb: pad.toDataURL("image/png") });
    say(t`已保存：签名`);
    location.hash = back(visit);
  });
  return {
    title: named(visit.assignment.site), up: back(visit),
    nodes: [h("h1", {}, t`签名`), h("p.soft", {}, t`请现场人员在框内签名，表示检查人员到过现场；不代表同意扣分。`),
      h("div.pad", {}, pad), button(t`重写`, clear, "quiet"), h("label", { htmlFor: "name" }, t`姓名`), name],
    bar: [button(t`保存`, save, "wide")],
  };
}

// `faults`: show all that is missing or wrong at once, not only where somebody has been.
export async function filling(id, faults) {
  const visit = await own(id);
  const bundle = await get("kv", "bundle");
  const form = visit && bundle.data.forms[visit.assignment.form];
  if (!form || visit.frozen) return missing();
  const place = h("div");
  let base = Object.assign({}, visit.answers);
  // Another tab may be filling in other questions: only what changed here is written.
  const write = async () => {
    const now = Object.assign({}, visit.answers);
    await amend(id, (one) => Object.keys(now).forEach((name) => { if (now[name] !== base[name]) one.answers[name] = now[name]; }));
    base = now;
  };
  const { show } = window.McChecklist.render(place, form, visit.answers, (answers) => {
    visit.answers = answers;
    keep(write);
  });
  const done = tap(async () => {
    await commit();
    await write();
    say(t`已保存：检查表`);
    location.hash = back(visit);
  });
  return { title: named(visit.assignment.site), up: back(visit), nodes: [h("h1", {}, t`检查表`), place], bar: [button(t`保存`, done, "wide")], shown: faults && show };
}
