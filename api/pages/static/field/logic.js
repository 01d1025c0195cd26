// Checklists worked out on the phone, from the trees that survey_forms/forms/portable.py sends.
// Every rule is that of survey_forms/forms; tests/pages/test_checklist.py holds both to the same results.
window.McLogic = (() => {
  "use strict";
  const DAY = 864e5;
  const BLANK = "(?:(?!\\ufeff)[\\s\\x1c-\\x1f\\x85])+"; // what Python takes for blanks
  const ENDS = new RegExp(`^${BLANK}|${BLANK}$`, "g");
  const BETWEEN = new RegExp(BLANK);
  const strip = (text) => text.replace(ENDS, "");
  const split = (text) => (strip(text) ? strip(text).split(BETWEEN) : []);
  const letters = (text) => Array.from(text);

  // 1 One kind of worth as another: numbers, texts, conditions, and days as {day: since 1970}

  const isDay = (value) => typeof value === "object";
  const num = (value) => {
    if (isDay(value)) return value.day;
    if (typeof value !== "string") return +value;
    const text = value.replace(/,/g, ".").replace(/^[\0- ]+|[\0- ]+$/g, "");
    return /^-?(\d+(\.\d*)?|\.\d+)$/.test(text) ? +text : NaN;
  };
  const text = (value) => {
    if (isDay(value)) return iso(value.day);
    if (typeof value !== "number" || !isFinite(value)) return String(value);
    const size = Math.abs(value);
    const whole = Math.trunc(value);
    if (size >= 1e16) return value.toExponential();
    if (Math.abs(value - whole) < 1e-12) return String(whole);
    if (size >= 1e-4) return String(value);
    const [digits, power] = size.toExponential().split("e");
    return value.toFixed(Math.max(digits.length - 2, 0) - power);
  };
  const truth = (value) => (typeof value === "number" ? value !== 0 && value === value : value !== "" && value !== false);
  const equal = (one, other) => {
    if (typeof one === "boolean" || typeof other === "boolean") return truth(one) === truth(other);
    if (typeof one !== "number" && typeof other !== "number") return text(one) === text(other);
    const [a, b] = [num(one), num(other)];
    return a === b || Math.abs(a - b) < 1e-12;
  };
  const int = (value) => Math.trunc(Math.max(Math.min(num(value) || 0, 2147483647), -2147483648));
  const iso = (day) => new Date(day * DAY).toISOString().slice(0, 10);
  const dayOf = (year, month, date) => {
    const at = new Date(0);
    at.setUTCFullYear(year, month - 1, date);
    return +year && at.getUTCMonth() === month - 1 && at.getUTCDate() === +date ? { day: at.getTime() / DAY } : null;
  };
  const toDay = (value) => {
    if (isDay(value)) return value;
    if (typeof value !== "string") {
      const day = Math.trunc(value);
      return day >= -719162 && day <= 2932896 ? { day } : null;
    }
    const found = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:T[^]*)?$/.exec(value);
    return found && dayOf(found[1], found[2], found[3]);
  };

  // 2 Functions of values

  const shifted = (number, places) => {
    const [digits, power] = number.toExponential().split("e");
    return +`${digits}e${+power + places}`;
  };
  const round = (value, places) => {
    const number = num(value);
    const kept = int(places === undefined ? 0 : places);
    if (!isFinite(number)) return number;
    if (Math.abs(kept) > 30) return NaN;
    if (kept < 0) return shifted(Math.trunc(shifted(number, kept) + 0.5), -kept);
    const [written, power] = Math.abs(number).toExponential().split("e");
    const digits = written.replace(".", "");
    const cut = +power + 1 + kept;
    if (Math.abs(number) >= 1e15 || digits.length <= cut) return number;
    const half = cut < 0 ? "" : digits.slice(cut); // halves go up, below zero too
    let left = (cut > 0 && digits.slice(0, cut)) || "0";
    if (half > "5" || (half === "5" && number > 0)) {
      left = left.replace(/[0-8]?9*$/, (tail) => (tail[0] === "9" ? "10" : +tail[0] + 1) + "0".repeat(tail.length - 1));
    }
    return Math.sign(number) * +`${left}e${-kept}`;
  };
  const part = (value, from, to) => {
    const all = text(value);
    const place = (at) => Math.min(Math.max(0, at < 0 ? at + all.length : at), all.length);
    return all.slice(place(int(from)), to === undefined ? all.length : place(int(to))).replace(/[\ud800-\udfff]/gu, "\ufffd");
  };
  const selected = (options, wanted) => ` ${text(options)} `.includes(` ${strip(text(wanted))} `);
  const two = (number) => String(number).padStart(2, "0");
  const formatted = (value, format) => {
    const day = toDay(value);
    if (!day) return "";
    const [y, m, d] = iso(day.day).split("-");
    const parts = { Y: y, y: y.slice(2), m, n: +m, d, e: +d, H: "00", h: "0", M: "00", S: "00", 3: "000", "%": "%" };
    return format.replace(/%(.)/g, (_, sign) => parts[sign]);
  };
  const CALLS = {
    "=": equal,
    "!=": (a, b) => !equal(a, b),
    "<": (a, b) => num(a) < num(b),
    "<=": (a, b) => num(a) <= num(b),
    ">": (a, b) => num(a) > num(b),
    ">=": (a, b) => num(a) >= num(b),
    "+": (a, b) => num(a) + num(b),
    "-": (a, b) => num(a) - num(b),
    "*": (a, b) => num(a) * num(b),
    div: (a, b) => num(a) / num(b),
    mod: (a, b) => num(a) % num(b),
    negated: (a) => -num(a),
    not: (a) => !a,
    number: num,
    string: text,
    abs: (a) => Math.abs(num(a)),
    int: (a) => Math.trunc(num(a)),
    round,
    selected,
    "is-selected": selected,
    "selected-at": (a, at) => split(text(a))[int(at)] || "",
    "count-selected": (a) => split(text(a)).length,
    "string-length": (a) => text(a).length,
    substr: part,
    "substring-before": (a, b) => text(a).slice(0, Math.max(0, text(a).indexOf(text(b)))),
    "substring-after": (a, b) => (text(a).includes(text(b)) ? text(a).slice(text(a).indexOf(text(b)) + text(b).length) : ""),
    contains: (a, b) => text(a).includes(text(b)),
    "starts-with": (a, b) => text(a).startsWith(text(b)),
    "ends-with": (a, b) => text(a).endsWith(text(b)),
    "normalize-space": (a) => text(a).replace(/[ \t-\r]+/g, " ").replace(/^ | $/g, ""),
    "boolean-from-string": (a) => text(a) === "1" || text(a).toLowerCase() === "true",
    regex: (a, pattern) => new RegExp(`^(?:${pattern})$`, "u").test(text(a)),
    date: (a) => toDay(a) || (a !== a ? a : ""),
    "format-date": formatted,
    "format-date-time": formatted,
    // A column that is looked up: exactly the number, or the text.
    is: (column, wanted) => (typeof wanted === "number" ? num(column) === wanted : column === text(wanted)),
  };

  // 3 What looks at the form or does not look at everything

  const run = (tree, state) => {
    if (!Array.isArray(tree)) return tree;
    const [name, ...given] = tree;
    if (typeof name === "number") return state.values[name];
    return FORMS[name] ? FORMS[name](state, ...given) : CALLS[name](...given.map((one) => run(one, state)));
  };
  // One argument that names a node stands for the nodes that are there.
  const listed = (state, given) => {
    const slot = given.length === 1 && Array.isArray(given[0]) ? given[0][0] : "";
    if (typeof slot !== "number") return given.map((one) => run(one, state));
    return state.asked[slot] ? [state.values[slot]] : [];
  };
  const numbers = (state, given) => listed(state, given).map(num).filter((one) => one === one);
  const most = (choose) => (state, ...given) => {
    const found = numbers(state, given);
    return found.length ? found.reduce((a, b) => (choose(b, a) ? b : a)) : NaN;
  };
  const among = (state, total, low, high, open) => {
    const [least, limit] = [num(run(low, state)), num(run(high, state))];
    return ((open && least < 0) || total >= least) && ((open && limit < 0) || total <= limit);
  };
  const FORMS = {
    and: (state, a, b) => truth(run(a, state)) && truth(run(b, state)),
    or: (state, a, b) => truth(run(a, state)) || truth(run(b, state)),
    if: (state, test, a, b) => run(run(test, state) ? a : b, state),
    coalesce: (state, a, b) => {
      const first = run(a, state);
      return first === "" || first !== first ? run(b, state) : first;
    },
    checklist: (state, low, high, ...tests) => among(state, tests.filter((one) => run(one, state)).length, low, high, true),
    "weighted-checklist": (state, low, high, ...pairs) => {
      let total = 0;
      for (let i = 0; i < pairs.length; i += 2) if (run(pairs[i], state)) total += num(run(pairs[i + 1], state));
      return among(state, total, low, high);
    },
    concat: (state, ...given) => listed(state, given).map(text).join(""),
    join: (state, between, ...given) => listed(state, given).map(text).join(text(run(between, state))),
    min: most((a, b) => a < b),
    max: most((a, b) => a > b),
    sum: (state, ...given) => numbers(state, given).reduce((a, b) => a + b, 0),
    count: (state, ...given) => listed(state, given).length,
    "count-non-empty": (state, ...given) => listed(state, given).filter((one) => one !== "").length,
    today: (state) => state.today,
    "any asked": (state, ...slots) => slots.some((slot) => state.asked[slot]),
  };

  // 4 One answer: [its value or null, what is wrong]

  const NONE = [null, ""];
  const wrong = (code) => [null, code];
  const oneOf = (step, offered, given) => {
    if (step.type === "select_one") return offered.includes(given) ? [given, ""] : wrong("not_a_choice");
    const chosen = new Set(split(given));
    const known = offered.filter((name) => chosen.has(name));
    return known.length === chosen.size ? [known.join(" "), ""] : wrong("not_a_choice");
  };
  const words = (given) => {
    if (letters(given).length > 4000) return wrong("too_long");
    if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]/u.test(given)) return wrong("unreadable");
    const kept = given.replace(/\r\n?/g, "\n").normalize("NFC");
    return letters(kept).length > 2000 ? wrong("too_long") : [kept, ""];
  };
  const typed = (type, given) => {
    const said = letters(given).length > 64 ? "" : given.normalize("NFKC");
    if (type === "integer") {
      const fits = /^[+-]?\d{1,10}$/.test(said) && +said >= -2147483648 && +said < 2147483648;
      return fits ? [+said, ""] : wrong("not_whole_number");
    }
    if (type === "decimal") return /^[+-]?(\d{1,15}(\.\d{0,9})?|\.\d{1,9})$/.test(said) ? [+said, ""] : wrong("not_number");
    const found = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(said);
    const day = found && found[1] >= 1900 && found[1] <= 2100 && dayOf(found[1], found[2], found[3]);
    return day ? [day, ""] : wrong("not_a_day");
  };
  const parse = (step, offered, sent) => {
    const given = strip(sent);
    if (!given) return NONE;
    if (step.choices) return oneOf(step, offered, given);
    return step.type === "text" ? words(given) : typed(step.type, given);
  };

  // 5 The form under the answers so far

  const worked = (step, state) => {
    const worth = run(step.calculate, state);
    if (typeof worth === "string") return letters(worth).slice(0, 2000).join("");
    if (worth !== worth) return "";
    const whole = Math.trunc(worth);
    return isFinite(worth) && Math.abs(worth - whole) < 1e-9 ? whole : worth;
  };
  const settle = (step, state, answers) => {
    const { name, slot } = step;
    const there = step.within === undefined || state.asked[step.within];
    const asked = (state.asked[slot] = Boolean(there && (step.relevant === undefined || run(step.relevant, state))));
    state.values[slot] = "";
    if (step.type) state.shown[name] = asked;
    if (!asked) return;
    if (step.choices) {
      const fits = step.choices.filter((choice) => choice.length < 3 || truth(run(choice[2], state)));
      state.offered[name] = fits.map((choice) => choice[0]);
    }
    let worth = "";
    if (step.calculate !== undefined) worth = worked(step, state);
    else if (step.type && step.type !== "note") {
      let sent = answers[name];
      if (sent === undefined) sent = step.first === undefined ? "" : text(run(step.first, state));
      const [value, code] = parse(step, state.offered[name], sent);
      if (code) state.faults[name] = code;
      else if (value !== null) worth = value;
    }
    state.values[slot] = worth;
    if (worth !== "") state.kept[name] = text(worth);
  };
  const check = (step, state) => {
    if (!step.type || !state.asked[step.slot] || state.faults[step.name]) return;
    state.demanded[step.name] = step.required !== undefined && run(step.required, state);
    if (state.kept[step.name] === undefined) {
      if (state.demanded[step.name]) state.faults[step.name] = "required";
    } else if (step.constraint !== undefined && !run(step.constraint, state)) state.faults[step.name] = "constraint";
  };
  /* {shown, demanded: {name: whether}, kept: {name: text}, faults: {name: code}, offered: {name: choices' names}};
     `today` is the day YYYY-MM-DD that the form means. */
  const read = (form, answers, today) => {
    const state = { values: [], asked: [], shown: {}, demanded: {}, kept: {}, faults: {}, offered: {}, today: toDay(today) };
    form.steps.forEach((step) => settle(step, state, answers));
    form.steps.forEach((step) => check(step, state));
    return state;
  };
  // A wording in a language, with answers in the place of what it quotes.
  const said = (form, state, wording, language) => {
    const all = wording || {};
    const found = all[language] || all[form.language] || all[Object.keys(all)[0]] || "";
    return found.replace(/\$\{([^{}]+)\}/g, (whole, name) => {
      const tree = form.quoted[name];
      return tree === undefined ? whole : text(run(tree, state));
    });
  };
  return { read, said, run, text, names: Object.keys(CALLS).concat(Object.keys(FORMS)) };
})();
