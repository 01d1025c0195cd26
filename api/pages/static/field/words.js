// Words, numbers and moments as people read them. Chinese stands where it is used; English in en.json, by the Chinese.

const store = localStorage;
const chosen = store.getItem("mc-lang") || (/^zh/i.test(navigator.language) ? "zh" : "en");
export const english = chosen === "en";
const ENGLISH = JSON.parse((english && store.getItem("mc-en")) || "{}");
document.documentElement.lang = english ? "en" : "zh-CN";

// t`还有 ${n} 处`, or t(words) for words kept in a table.
export function t(words, ...facts) {
  const parts = typeof words === "string" ? [words] : words;
  const said = (ENGLISH[parts.join("{}")] || parts.join("{}")).split("{}");
  return said.map((part, at) => part + (at < facts.length ? facts[at] : "")).join("");
}
export const either = (zh, en) => (english && en) || zh;
export const named = (one) => (one ? either(one.zh, one.en) : "");

// English is fetched once by those who want it, and kept for the days without a network; newer words wait for the next
// opening, for somebody may be writing.
export async function learn(base) {
  const answer = await fetch(`${base}/en.json`);
  const first = !store.getItem("mc-en");
  if (answer.ok) store.setItem("mc-en", await answer.text());
  if (answer.ok && english && first) location.reload();
}

// False where English has yet to be fetched and there is no network.
export async function switchLanguage(base) {
  if (!english) await learn(base).catch(() => null);
  if (!english && !store.getItem("mc-en")) return false;
  store.setItem("mc-lang", english ? "zh" : "en");
  location.reload();
  return true;
}

// Everything in China time, whatever the phone is set to: one zone, no summer time since 1991.
const china = (ms) => new Date(ms + 288e5).toISOString();
export const clock = (ms) => china(ms).slice(11, 16);
export const dayOf = (ms) => china(ms).slice(0, 10);
// Made once: a list of fifty visits would make fifty.
const inWords = (how) => new Intl.DateTimeFormat(either("zh-CN", "en-GB"), Object.assign({ timeZone: "UTC" }, how));
const [DAY, WEEKDAY] = [inWords({ day: "numeric", month: "short" }), inWords({ weekday: "long" })];
export const day = (date) => DAY.format(new Date(date));
export const weekday = (date) => WEEKDAY.format(new Date(date));
export const moment = (ms) => `${day(dayOf(ms))} ${clock(ms)}`;

export function age(ms) {
  const hours = Math.floor(ms / 36e5);
  if (hours < 1) return t`${Math.max(1, Math.round(ms / 6e4))} 分钟`;
  return hours < 48 ? t`${hours} 小时` : t`${Math.floor(hours / 24)} 天`;
}

export const size = (bytes) => (bytes < 1048576 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`);
export const metres = (m) => (m < 1000 ? t`${Math.round(m)} 米` : t`${(m / 1000).toFixed(1)} 公里`);
