// A finding: which rule, how many points, what was seen, which photos. Kept while it is written.

import { amend, get, own } from "./store.js";
import { button, commit, full, h, keep, pictures, say, tap, thumb } from "./parts.js";
import { named, t } from "./words.js";

const cost = (rule) => (rule.points != null ? t`扣 ${rule.points} 分` : t`扣 ${rule.points_min}–${rule.points_max} 分`);

// What is wrong with a finding, in words; nothing when it may be saved.
function wrong(finding, rules) {
  const rule = rules.find((one) => one.id === finding.rule);
  if (!rule) return ["rules", t`请选是哪一项问题。`];
  if (rule.points == null) {
    const points = Number(finding.points);
    if (!/^\d+(\.\d{1,2})?$/.test(finding.points || "") || points < Number(rule.points_min) || points > Number(rule.points_max)) {
      return ["points", t`请填 ${rule.points_min} 至 ${rule.points_max} 之间的分数。`];
    }
  }
  return finding.description.trim() ? null : ["description", t`请写看到了什么。`];
}

export async function finding(visitId, key) {
  const visit = await own(visitId);
  const bundle = await get("kv", "bundle");
  const evaluation = visit && bundle.data.evaluations.find((one) => one.id === visit.assignment.evaluation);
  const catalogue = evaluation && evaluation.catalogue;
  const kept = catalogue && visit.findings.find((one) => one.id === key);
  if (!catalogue || visit.frozen || (!kept && full(visit))) return { nodes: [h("p", {}, t`这里不能填问题。`)] };
  const draft = Object.assign({ id: key, rule: "", points: "", description: "", photos: [], ready: false }, kept);
  const home = () => { location.hash = `#/v/${visit.assignment.id}`; };
  const store = () => amend(visitId, (one) => {
    const at = one.findings.findIndex((other) => other.id === draft.id);
    one.findings.splice(at < 0 ? one.findings.length : at, at < 0 ? 0 : 1, Object.assign({}, draft));
  });
  const edit = () => { draft.ready = false; return keep(store); };

  const points = h("div", { hidden: true });
  const choose = (rule) => {
    draft.rule = rule.id;
    points.hidden = rule.points != null;
    if (rule.points != null) draft.points = "";
    points.firstChild.textContent = `${t`扣几分`} ${rule.points_min}–${rule.points_max}`;
  };
  points.append(h("label", { htmlFor: "points" }), h("input", { id: "points", inputMode: "decimal", value: draft.points, autocomplete: "off", oninput: (event) => { draft.points = event.target.value.normalize("NFKC").trim().replace("。", "."); edit(); } }));

  const option = (rule) => h("label.choice", {}, h("input", { type: "radio", name: "rule", checked: rule.id === draft.rule, onchange: () => { choose(rule); edit(); } }), h("span", {}, named(rule), h("span.soft.small.block", {}, cost(rule), " · ", rule.article)));
  const aspect = (one) => {
    const rules = catalogue.rules.filter((rule) => rule.aspect === one.id);
    return rules.length > 0 && h("details", { open: rules.some((rule) => rule.id === draft.rule) }, h("summary", {}, named(one), h("span.count", {}, rules.length)), rules.map(option));
  };
  const chosen = catalogue.rules.find((rule) => rule.id === draft.rule);
  if (chosen) choose(chosen);

  const taken = await pictures(visit);
  const pick = (shot, at) => h("label.pick", {}, h("input", { type: "checkbox", checked: draft.photos.indexOf(shot.sha256) >= 0, onchange: (event) => {
    if (event.target.checked && draft.photos.length >= 50) {
      event.target.checked = false;
      return say(t`一条问题最多 50 张照片。`, "bad");
    }
    draft.photos = draft.photos.filter((sha) => sha !== shot.sha256).concat(event.target.checked ? shot.sha256 : []);
    return edit();
  } }), thumb(taken[at], t`照片 ${at + 1}`));

  const description = h("textarea", { id: "description", rows: 5, maxLength: 2000, value: draft.description, oninput: (event) => { draft.description = event.target.value; edit(); } });
  const save = tap(async () => {
    await commit();
    const fault = wrong(draft, catalogue.rules);
    if (fault) {
      const field = document.getElementById(fault[0]);
      field.scrollIntoView({ block: "center" });
      field.focus();
      return say(fault[1], "bad");
    }
    draft.ready = true;
    await store();
    say(t`已保存：问题`);
    return home();
  });
  const remove = tap(async () => {
    await commit();
    if (!confirm(t`删除这条问题？`)) return;
    await amend(visitId, (one) => { one.findings = one.findings.filter((other) => other.id !== draft.id); });
    home();
  });
  return {
    title: named(visit.assignment.site), up: `#/v/${visit.assignment.id}`,
    nodes: [h("h1", {}, t`问题`), h("div.stack", { id: "rules", tabIndex: -1 }, catalogue.aspects.map(aspect)), points,
      h("label", { htmlFor: "description" }, t`看到了什么`), description,
      h("fieldset", {}, h("legend", {}, t`佐证照片`), visit.shots.length ? h("div.grid", {}, visit.shots.map(pick)) : h("p.soft", {}, t`还没有照片。有照片的问题更经得起复核。`)),
      kept && button(t`删除`, remove, "quiet")],
    bar: [button(t`保存`, save, "wide")],
  };
}
