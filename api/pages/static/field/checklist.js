// A checklist's questions as fields, what is wrong beside each. logic.js decides what is asked.
//   McChecklist.render(element, form, answers, onChange) writes name → text into `answers`; → {show()} shows all faults
//   McChecklist.errors(form, answers) → [{name, label, words}] in the form's order; empty: complete
window.McChecklist = (() => {
  "use strict";
  const language = () => (document.documentElement.lang.startsWith("en") ? "en" : "zh");
  const t = (zh, en) => (language() === "en" ? en : zh);
  const read = (form, answers) => McLogic.read(form, answers, new Date(Date.now() + 288e5).toISOString().slice(0, 10)); // China's day
  const say = (form, state, words) => McLogic.said(form, state, words, language());
  const fault = (form, state, step) => {
    const code = state.faults[step.name];
    return code ? say(form, state, step.told && step.told[code]) || say(form, state, form.sentences[code]) : "";
  };
  const typed = (form, name) => form.steps.find((step) => step.type && step.name === name);
  const errors = (form, answers) => {
    const state = read(form, answers);
    const steps = [].concat(...form.pages.map((page) => page.questions)).map((name) => typed(form, name));
    return steps.filter((step) => state.faults[step.name]).map((step) => ({ name: step.name, label: say(form, state, step.label), words: fault(form, state, step) }));
  };

  const node = (tag, facts, ...inside) => {
    const made = Object.assign(document.createElement(tag), facts);
    made.append(...inside);
    return made;
  };
  const put = (place, words) => {
    if (place.textContent !== words) place.textContent = words;
    place.hidden = !words;
  };
  let numbered = 0;

  function field(step, given, set) {
    const { type, rows, choices } = step;
    const id = `q${(numbered += 1)}`;
    const one = { step, inputs: [], offers: [], words: node("span"), mark: node("span", { className: "faint" }), hint: node("p", { className: "hint", id: `${id}h` }), wrong: node("p", { className: "field-error", id: `${id}e` }) };
    const head = node(choices ? "legend" : type === "note" ? "p" : "label", { className: "label" }, one.words, one.mark);
    one.box = node(choices ? "fieldset" : "div", { className: type === "note" ? "note field" : "field" }, head, one.hint, one.wrong);
    if (choices) {
      const chosen = given.split(/\s+/);
      const sort = type === "select_one" ? "radio" : "checkbox";
      const tell = () => set(one.inputs.filter((input) => input.checked).map((input) => input.value).join(" "));
      one.offers = choices.map(([name, label]) => {
        const input = node("input", { type: sort, name: id, value: name, checked: chosen.includes(name), onchange: tell });
        const said = node("span");
        one.inputs.push(input);
        return { name, label, input, said, row: node("label", { className: "choice" }, input, said) };
      });
      one.clear = node("button", { type: "button", className: "button button-quiet", onclick: () => {
        one.inputs.forEach((input) => { input.checked = false; });
        tell();
        one.inputs[0].focus();
      } }, t("清除", "Clear"));
      one.box.append(...one.offers.map((offer) => offer.row), one.clear);
    } else if (type !== "note") {
      const numeric = { integer: "numeric", decimal: "decimal" }[type];
      const input = node(rows ? "textarea" : "input", { id, className: `${rows ? "textarea" : "input"}${numeric ? " input-short" : ""}`, value: given, autocomplete: "off" });
      if (rows) input.rows = rows;
      else input.type = type === "date" ? type : "text";
      input.inputMode = numeric || "";
      input.oninput = () => set(input.value);
      head.htmlFor = id;
      one.inputs.push(input);
      one.box.append(input);
    }
    return one;
  }

  // Only what differs is touched: a field that is being typed into keeps its place and its keyboard.
  function update(form, state, one, told) {
    const { step, hint, wrong } = one;
    const note = step.type === "note";
    const label = say(form, state, step.label);
    const worth = (note && state.kept[step.name]) || "";
    one.box.hidden = !state.shown[step.name];
    put(one.words, label.includes(worth) ? label : `${label} ${worth}`);
    put(one.mark, note || state.demanded[step.name] ? "" : t("（选填）", " (optional)"));
    put(hint, say(form, state, step.hint));
    put(wrong, told ? fault(form, state, step) : "");
    one.inputs.forEach((input) => {
      input.setAttribute("aria-invalid", !wrong.hidden);
      input.setAttribute("aria-describedby", `${wrong.hidden ? "" : wrong.id} ${hint.hidden ? "" : hint.id}`.trim());
    });
    one.offers.forEach(({ name, label, input, said, row }) => {
      row.hidden = !input.checked && !(state.offered[step.name] || []).includes(name);
      put(said, say(form, state, label));
    });
    if (one.clear) one.clear.hidden = step.type !== "select_one" || !one.inputs.some((input) => input.checked);
  }

  function render(element, form, answers, onChange) {
    let everything = false;
    const touched = {};
    const start = read(form, answers);
    form.steps.forEach(({ name, type, first }) => { // what the author filled in stands in the field as an answer
      if (type && first !== undefined && answers[name] === undefined) answers[name] = McLogic.text(McLogic.run(first, start));
    });
    const pages = form.pages.map((page) => {
      const title = node("h3");
      const fields = page.questions.map((name) => field(typed(form, name), answers[name] || "", (value) => {
        answers[name] = value;
        touched[name] = true;
        refresh();
        onChange(answers);
      }));
      return { page, title, fields, box: node("section", { className: "stack" }, title, ...fields.map((one) => one.box)) };
    });
    const refresh = () => {
      const state = read(form, answers);
      let above = "";
      pages.forEach(({ page, title, fields, box }) => {
        const words = say(form, state, page.title);
        fields.forEach((one) => update(form, state, one, everything || touched[one.step.name]));
        box.hidden = fields.every((one) => one.box.hidden);
        put(title, words === above ? "" : words);
        if (!box.hidden) above = words;
      });
    };
    element.textContent = "";
    element.classList.add("checklist");
    element.append(...pages.map((one) => one.box));
    refresh();
    const show = () => {
      everything = true;
      refresh();
      const bad = element.querySelector('section:not([hidden]) > .field:not([hidden]) :not([hidden]) > [aria-invalid="true"], section:not([hidden]) > .field:not([hidden]) > [aria-invalid="true"]');
      if (bad) bad.focus();
    };
    return { show };
  }

  return { render, errors };
})();
