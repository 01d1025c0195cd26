// The inspector's phone: nothing that was typed or photographed is lost because a network was.
// Every form here also works without this file.

const PATIENCE = [1, 2, 4, 8, 15, 30]; // seconds before each next try
const LOCATING_MS = 20000;
const TRY_AGAIN = new Set([429, 502, 503, 504]);
const english = document.documentElement.lang === "en";
const t = (zh, en) => (english ? en : zh);
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// A failed request waits for the network or the next try, whichever is first.
function comesBack(seconds) {
  return Promise.race([sleep(seconds), new Promise((done) => addEventListener("online", done, { once: true }))]);
}

// Send until somebody answers. `body` is asked anew each time: the form token may have changed after a new sign-in.
async function send(address, body, accept, onWaiting) {
  for (let attempt = 0; ; attempt += 1) {
    let answer = null;
    try {
      answer = await fetch(address, { method: "POST", body: body(), headers: { Accept: accept }, credentials: "same-origin" });
      if (!TRY_AGAIN.has(answer.status)) return answer;
    } catch {
      // No network, or it went away: the same as being told to come again.
    }
    onWaiting(attempt + 1);
    await comesBack(PATIENCE[Math.min(attempt, PATIENCE.length - 1)]);
  }
}

// After a sign-in on another page this one holds an old token; the page itself knows the new one.
async function renewToken(form) {
  const page = await (await fetch(location.href, { credentials: "same-origin" })).text();
  const fresh = new DOMParser().parseFromString(page, "text/html").querySelector('input[name="form_token"]');
  if (fresh) form.elements.form_token.value = fresh.value;
  return Boolean(fresh);
}

// 1 Forms that keep what was filled in until the server has it

function steady(form) {
  const state = form.querySelector("[data-state]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    if (form.dataset.stale && !(await renewToken(form).catch(() => false))) {
      delete form.dataset.busy;
      return;
    }
    const sent = new FormData(form);
    state.textContent = t("正在提交…", "Sending …");
    const answer = await send(form.action, () => sent, "text/html", (attempt) => {
      state.textContent = t(`没有网络，内容仍在本页，正在自动重试（第 ${attempt} 次）`, `No network; what you wrote is still here and is tried again (${attempt})`);
    });
    delete form.dataset.busy;
    if (answer.status === 401 || answer.status === 403) {
      form.dataset.stale = "yes";
      state.textContent = t("登录已过期。请在新页面登录，再回到本页提交；内容仍在。", "You were signed out. Sign in on a new page, then send again here; nothing is lost.");
    } else if (answer.redirected) {
      location.assign(answer.url);
    } else {
      show(await answer.text());
    }
  });
}

// Put the answered page in place of this one's content, without leaving it.
function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  if (!fresh) return;
  document.querySelector("main").replaceWith(document.adoptNode(fresh));
  enhance(document.querySelector("main"));
  const told = document.querySelector('main [role="alert"]');
  if (told) {
    told.tabIndex = -1;
    told.focus();
    told.scrollIntoView({ block: "start" });
  }
}

// 2 The position: watched for 20 seconds, everything kept, the best one judged by the server

function locate(form) {
  const part = form.querySelector("[data-locating]");
  const words = form.querySelector("[data-progress]");
  const start = form.querySelector("[data-start]");
  const manual = form.querySelector("[data-manual]");
  if (!("geolocation" in navigator)) return;
  part.hidden = false;
  if (!form.elements.fixes.value) manual.open = false;
  start.addEventListener("click", () => {
    start.disabled = true;
    words.textContent = words.dataset.searching;
    const fixes = [];
    let watch = null;
    const finish = (failure) => {
      navigator.geolocation.clearWatch(watch);
      clearTimeout(timer);
      start.disabled = false;
      if (!fixes.length) {
        words.textContent = failure && failure.code === 1 ? words.dataset.denied : words.dataset.failed;
        manual.open = true;
        return;
      }
      form.elements.fixes.value = JSON.stringify(fixes);
      form.elements.claimed_at.value = String(Date.now());
      form.elements.reason.required = false; // whether one is needed, the server says
      form.requestSubmit();
    };
    const timer = setTimeout(finish, LOCATING_MS);
    watch = navigator.geolocation.watchPosition(
      ({ coords, timestamp }) => {
        fixes.push([coords.latitude, coords.longitude, coords.accuracy, Math.round(timestamp)]);
        const best = Math.min(...fixes.map((fix) => fix[2]));
        words.textContent = words.dataset.best.replace("{m}", String(Math.round(best)));
        if (best <= 15) finish(); // better than a phone gets under trees: no need to wait
      },
      (failure) => {
        if (failure.code === 1) finish(failure); // refused; anything else may still come right
      },
      { enableHighAccuracy: true, maximumAge: 0, timeout: LOCATING_MS },
    );
  });
}

// 3 Photos: hashed here, sent one by one, on this page until the server has given a receipt

function photos(form) {
  const queue = form.querySelector("[data-queue]");
  const words = form.dataset;
  const waiting = new Set();
  let draining = false;
  form.classList.add("enhanced");
  form.querySelectorAll("[data-button]").forEach((label) => (label.className = label.dataset.button));

  const count = () => {
    const shown = document.querySelector("[data-waiting-count]");
    shown.textContent = waiting.size ? shown.dataset.words.replace("{n}", String(waiting.size)) : "";
  };

  const add = (file) => {
    const item = document.createElement("li");
    item.className = "photo";
    const picture = document.createElement("img");
    picture.src = URL.createObjectURL(file);
    picture.alt = "";
    picture.addEventListener("error", () => (picture.hidden = true)); // no picture: the server will say so in words
    const told = document.createElement("div");
    told.className = "stack stack-s";
    const state = document.createElement("strong");
    state.setAttribute("role", "status");
    state.textContent = words.waiting;
    const detail = document.createElement("span");
    detail.className = "soft small";
    detail.textContent = `${file.name} · ${Math.ceil(file.size / 1024)} kB`;
    told.append(state, detail);
    item.append(picture, told);
    queue.append(item);
    waiting.add({ file, item, state, told, picture });
    count();
  };

  const leave = (one) => {
    waiting.delete(one);
    URL.revokeObjectURL(one.picture.src);
    one.item.remove();
    count();
  };

  const offer = (one, label, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-second";
    button.textContent = label;
    button.addEventListener("click", () => {
      button.remove();
      act();
    });
    one.told.append(button);
  };

  const fail = async (one, answer) => {
    one.stopped = true;
    if (answer.status === 401 || answer.status === 403) {
      one.state.textContent = words.signedOut;
      offer(one, words.again, async () => {
        await renewToken(form).catch(() => false);
        one.stopped = false;
        drain();
      });
      return;
    }
    waiting.delete(one); // it will never be sent, so nothing waits
    count();
    one.item.classList.add("failed");
    const said = await answer.json().catch(() => null);
    const sentence = said ? said.errors.map((error) => (english ? error.en : error.zh)).join(" ") : String(answer.status);
    one.state.textContent = `${words.failed}${t("：", ": ")}${sentence}`;
    offer(one, words.remove, () => leave(one));
  };

  const sendOne = async (one) => {
    one.state.textContent = words.sending;
    const digest = await fingerprint(one.file);
    const answer = await send(
      form.action,
      () => {
        const body = new FormData();
        body.set("form_token", form.elements.form_token.value);
        body.set("photo", one.file, one.file.name || "photo");
        body.set("sha256", digest);
        body.set("file_at", String(one.file.lastModified || Date.now()));
        return body;
      },
      "application/json",
      () => (one.state.textContent = words.retry),
    );
    if (!answer.ok) {
      await fail(one, answer);
      return;
    }
    await refresh();
    leave(one);
  };

  const drain = async () => {
    if (draining) return;
    draining = true;
    for (let one = next(); one; one = next()) await sendOne(one).catch(() => (one.stopped = true));
    draining = false;
  };
  const next = () => [...waiting].find((one) => !one.stopped);

  form.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    for (const file of event.target.files) add(file);
    event.target.value = ""; // so that the same photo can be chosen again
    drain();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("beforeunload", (event) => {
    if (waiting.size) event.preventDefault();
  });
  watchPending();
}

// SHA-256 in hexadecimal; "" where the page was not fetched over TLS and the browser keeps it from us.
async function fingerprint(file) {
  if (!globalThis.crypto || !crypto.subtle) return "";
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The server's own list of photos, in place of ours.
async function refresh() {
  const page = await (await fetch(location.href, { credentials: "same-origin" })).text();
  const fresh = new DOMParser().parseFromString(page, "text/html");
  for (const id of ["kept", "photos-title"]) {
    const now = fresh.getElementById(id);
    if (now) document.getElementById(id).replaceWith(document.adoptNode(now));
  }
  document.getElementById("none-kept")?.remove();
  watchPending();
}

// A photo is ready some seconds after it arrived; look again while one is not, but not for ever.
let looks = 0;
function watchPending() {
  if (!document.querySelector("[data-pending]") || looks >= 20) return;
  looks += 1;
  setTimeout(() => refresh().catch(() => {}), 2000);
}

// 4 A finding: points are asked for only where the rule leaves a choice

function finding(form) {
  const part = form.querySelector("[data-points]");
  const hint = form.querySelector("#points-hint");
  const told = hint.textContent;
  const settle = () => {
    const rule = form.querySelector('input[name="rule"]:checked');
    const range = rule && rule.dataset.low;
    part.hidden = !range;
    form.elements.points.required = Boolean(range);
    if (!range) form.elements.points.value = "";
    hint.textContent = range ? t(`${rule.dataset.low} 至 ${rule.dataset.high} 分`, `${rule.dataset.low} to ${rule.dataset.high} points`) : told;
  };
  form.addEventListener("change", settle);
  settle();
}

function enhance(root) {
  const all = (selector, make) => root.querySelectorAll(selector).forEach(make);
  all("[data-steady]", steady);
  all("[data-locate]", locate);
  all("[data-photos]", photos);
  all("[data-finding]", finding);
}

enhance(document);
