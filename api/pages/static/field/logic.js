// Checklists worked out on the phone from the trees that survey_forms/forms/portable.py sends, by the rules of
// survey_forms/forms; tests/pages/test_checklist.py holds both to the same results.
window.McLogic = (() => {
  "use strict";
  const BLANK = "(?:(?!\\ufeff)[\\s\\x1c-\\x1f\\x85])+"; // as Python has it
  const ENDS = new RegExp(`^${BLANK}|${BLANK}$`, "g");
  const strip = (text) => text.replace(ENDS, "");
  const split = (text) => strip(text).split(new RegExp(BLANK)).filter((one) => one);
  const letters = (text) => Array.from(text);

  // 1 One kind of worth as another: numbers, texts, conditions, and days as {day: since 1970}

  const isDay = (value) => typeof value === "object";
  const isNumber = (value) => typeof value === "number";
  const num = (value) => {
    if (isDay(value)) return value.day;
    if (typeof value !== "string") return +value;
    const text = value.replace(/,/g, ".").replace(/^[\0- ]+|[\0- ]+$/g, "");
    return /^-?(\d+(\.\d*)?|\.\d+)$/.test(text) ? +text : NaN;
  };
  const parts = (number) => number.toExponential().split("e");
  const text = (value) => {
    if (isDay(value)) return new Date(value.day * 864e5).toISOString().slice(0, 10);
    const size = Math.abs(value);
    if (!isNumber(value) || !isFinite(value)) return String(value);
    if (size >= 1e16) return value.toExponential();
    if (Math.abs(value % 1) < 1e-12) return String(Math.trunc(value));
    const [digits, power] = parts(size);
    return size < 1e-4 ? value.toFixed(Math.max(digits.length - 2, 0) - power) : String(value);
  };
  const truth = (value) => (isNumber(value) ? value !== 0 && value === value : value !== "" && value !== false);
  const equal = (one, other) => {
    const kinds = [typeof one, typeof other];
    if (kinds.includes("boolean")) return truth(one) === truth(other);
    if (!kinds.includes("number")) return text(one) === text(other);
    return num(one) === num(other) || Math.abs(num(one) - num(other)) < 1e-12;
  };
  const int = (value) => Math.trunc(Math.max(Math.min(num(value) || 0, 2147483647), -2147483648));
  const dayOf = (found) => {
    if (!found || !+found[1]) return null;
    const at = new Date(0);
    at.setUTCFullYear(found[1], found[2] - 1, found[3]);
    return at.getUTCMonth() === found[2] - 1 && at.getUTCDate() === +found[3] ? { day: at.getTime() / 864e5 } : null;
  };
  const toDay = (value) => {
    if (isDay(value)) return value;
    if (!isNumber(value)) return dayOf(/^(\d{4})-(\d{1,2})-(\d{1,2})(?:T[^]*)?$/.exec(value));
    const day = Math.trunc(value);
    return day >= -719162 && day <= 2932896 ? { day } : null; // the years 1 to 9999
  };

  // 2 Functions of values

  const shifted = (number, places) => {
    const [digits, power] = parts(number);
    return +`${digits}e${+power + places}`;
  };
  // Halves of what is written go up, below zero too.
  const round = (value, places) => {
    const number = num(value);
    const kept = int(places || 0);
    if (!isFinite(number)) return number;
    if (Math.abs(kept) > 30) return NaN;
    if (kept < 0) return shifted(Math.trunc(shifted(number, kept) + 0.5), -kept);
    const [written, power] = parts(Math.abs(number));
    const digits = written.replace(".", "");
    const cut = +power + 1 + kept;
    if (Math.abs(number) >= 1e15 || digits.length <= cut) return number;
    const half = cut < 0 ? "" : digits.slice(cut);
    let left = (cut > 0 && digits.slice(0, cut)) || "0";
    if (half > "5" || (half === "5" && number > 0)) {
      left = left.replace(/[0-8]?9*$/, (tail) => (tail[0] === "9" ? "10" : +tail[0] + 1) + "0".repeat(tail.length - 1));
    }
    return Math.sign(number) * +`${left}e${-kept}`;
  };
  const selected = (options, wanted) => ` ${text(options)} `.includes(` ${strip(text(wanted))} `);
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
    contains: (a, b) => text(a).includes(text(b)),
    "starts-with": (a, b) => text(a).startsWith(text(b)),
    "ends-with": (a, b) => text(a).endsWith(text(b)),
    "normalize-space": (a) => text(a).replace(/[ \t-\r]+/g, " ").replace(/^ | $/g, ""),
    regex: (a, pattern) => new RegExp(`^(?:${pattern})$`, "u").test(text(a)),
    date: (a) => toDay(a) || (a !== a ? a : ""),
    // A column that is looked up: exactly the number, or the text.
    is: (column, wanted) => (isNumber(wanted) ? num(column) === wanted : column === text(wanted)),
  };

  // 3 What looks at the form, or not at all of its arguments

  const run = (tree, state) => {
    if (!Array.isArray(tree)) return tree;
    const [name, ...given] = tree;
    if (isNumber(name)) return state.values[name];
    return FORMS[name] ? FORMS[name](state, given, (place) => run(given[place], state)) : CALLS[name](...all(state, given));
  };
  const all = (state, given) => given.map((one) => run(one, state));
  // One argument that names a node stands for the nodes that are there.
  const listed = (state, given) => {
    const slot = given.length < 2 && Array.isArray(given[0]) && given[0][0];
    return !isNumber(slot) || state.asked[slot] ? all(state, given) : [];
  };
  const numbers = (state, given) => listed(state, given).map(num).filter((one) => one === one);
  const FORMS = {
    and: (state, given, at) => truth(at(0)) && truth(at(1)),
    or: (state, given, at) => truth(at(0)) || truth(at(1)),
    if: (state, given, at) => at(at(0) ? 1 : 2),
    coalesce: (state, given, at) => {
      const first = at(0);
      return first === "" || first !== first ? at(1) : first;
    },
    checklist: (state, given, at) => {
      const total = all(state, given.slice(2)).filter((one) => one).length;
      const [least, most] = [num(at(0)), num(at(1))];
      return total >= least && (most < 0 || total <= most);
    },
    concat: (state, given) => listed(state, given).map(text).join(""),
    join: (state, given, at) => listed(state, given.slice(1)).map(text).join(text(at(0))),
    min: (state, given) => numbers(state, given).reduce((a, b) => (a <= b ? a : b), NaN),
    max: (state, given) => numbers(state, given).reduce((a, b) => (a >= b ? a : b), NaN),
    sum: (state, given) => numbers(state, given).reduce((a, b) => a + b, 0),
    count: (state, given) => listed(state, given).length,
    "count-non-empty": (state, given) => listed(state, given).filter((one) => one !== "").length,
    today: (state) => state.today,
    "any asked": (state, given) => given.some((slot) => state.asked[slot]),
  };

  // 4 One answer: its worth, or {wrong: code}

  const TEXTS = {
    select_one: (given, offered) => (offered.includes(given) ? given : { wrong: "not_a_choice" }),
    select_multiple: (given, offered) => {
      const chosen = new Set(split(given));
      const known = offered.filter((name) => chosen.has(name));
      return known.length === chosen.size ? known.join(" ") : { wrong: "not_a_choice" };
    },
    text: (given) => {
      const kept = given.replace(/\r\n?/g, "\n").normalize("NFC");
      if (letters(given).length > 4000) return { wrong: "too_long" };
      if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]/u.test(given)) return { wrong: "unreadable" };
      return letters(kept).length > 2000 ? { wrong: "too_long" } : kept;
    },
  };
  const TYPED = {
    integer: (said) => (/^[+-]?\d{1,10}$/.test(said) && (said | 0) === +said ? +said : { wrong: "not_whole_number" }),
    decimal: (said) => (/^[+-]?(\d{1,15}(\.\d{0,9})?|\.\d{1,9})$/.test(said) ? +said : { wrong: "not_number" }),
    date: (said) => {
      const found = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(said);
      return (found && found[1] >= 1900 && found[1] <= 2100 && dayOf(found)) || { wrong: "not_a_day" };
    },
  };
  const parse = (step, offered, sent) => {
    const given = strip(sent);
    if (!given) return "";
    if (TEXTS[step.type]) return TEXTS[step.type](given, offered);
    return TYPED[step.type](letters(given).length > 64 ? "" : given.normalize("NFKC"));
  };

  // 5 The form under the answers so far

  const worked = (worth) => {
    if (typeof worth === "string") return letters(worth).slice(0, 2000).join("");
    if (!isNumber(worth)) return worth;
    return worth !== worth ? "" : Math.abs(worth % 1) < 1e-9 ? Math.trunc(worth) : worth;
  };
  const settle = (step, state, answers) => {
    const { name, slot, type, first } = step;
    const within = step.within === undefined || state.asked[step.within];
    const asked = Boolean(within && (step.relevant === undefined || run(step.relevant, state)));
    let worth = "";
    state.asked[slot] = asked;
    if (type) state.shown[name] = asked;
    if (asked && step.choices) {
      state.offered[name] = step.choices.filter((one) => one.length < 3 || truth(run(one[2], state))).map((one) => one[0]);
    }
    if (asked && step.calculate !== undefined) worth = worked(run(step.calculate, state));
    else if (asked && type && type !== "note") {
      const sent = answers[name] === undefined && first !== undefined ? text(run(first, state)) : answers[name];
      worth = parse(step, state.offered[name], sent || "");
      if (worth.wrong) {
        state.faults[name] = worth.wrong;
        worth = "";
      }
    }
    state.values[slot] = worth;
    if (worth !== "") state.kept[name] = text(worth);
  };
  const check = (step, state) => {
    const { name } = step;
    if (!step.type || !state.shown[name] || state.faults[name]) return;
    const demanded = step.required !== undefined && run(step.required, state);
    state.demanded[name] = demanded;
    if (state.kept[name] === undefined) {
      if (demanded) state.faults[name] = "required";
    } else if (step.constraint !== undefined && !run(step.constraint, state)) state.faults[name] = "constraint";
  };
  // By question: whether it is shown and demanded, its text, the code of its fault, the choices offered.
  const read = (form, answers, today) => {
    const state = { values: [], asked: [], shown: {}, demanded: {}, kept: {}, faults: {}, offered: {}, today: toDay(today) };
    form.steps.forEach((step) => settle(step, state, answers));
    form.steps.forEach((step) => check(step, state));
    return state;
  };
  // A wording with answers in the place of what it quotes.
  const said = (form, state, wording, language) => {
    const words = wording || {};
    const found = words[language] || words[form.language] || words[Object.keys(words)[0]] || "";
    return found.replace(/\$\{([^{}]+)\}/g, (whole, name) => (name in form.quoted ? text(run(form.quoted[name], state)) : whole));
  };
  return { read, said, run, text, names: Object.keys(Object.assign({}, CALLS, FORMS)) };
})();
