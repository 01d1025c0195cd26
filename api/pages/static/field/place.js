// Where the phone is. What is told here is a preview; the server judges (survey_forms/inspection/presence.py).

import { t } from "./words.js";

const LOOKING_MS = 20000;
const GOOD_M = 15; // better than a phone gets under trees: no need to wait for more
const STALE_MS = 60000;
const RADIANS = Math.PI / 180;
let last = null;

const fixOf = ({ coords, timestamp }) => (last = [coords.latitude, coords.longitude, coords.accuracy, Math.round(timestamp)]);

// Watch for 20 seconds and keep every fix. `seen` hears of each; what is returned can end the watching early.
export function look(seen) {
  const fixes = [];
  let stop = null;
  const found = new Promise((done) => {
    if (!navigator.geolocation) return done({ fixes, denied: true });
    let watch = 0;
    const end = (denied) => {
      navigator.geolocation.clearWatch(watch);
      clearTimeout(timer);
      done({ fixes, denied: denied === true });
    };
    const timer = setTimeout(end, LOOKING_MS);
    stop = end;
    watch = navigator.geolocation.watchPosition(
      (position) => {
        fixes.push(fixOf(position));
        const best = Math.min(...fixes.map((fix) => fix[2]));
        seen(best);
        if (best <= GOOD_M) end();
      },
      (failure) => failure.code === 1 && end(true), // refused; anything else may still come right
      { enableHighAccuracy: true, maximumAge: 0, timeout: LOOKING_MS }
    );
    return null;
  });
  return { found, stop: () => stop && stop() };
}

// The fix to bind a photo to: one of the last minute, or null after three seconds.
export function nearby() {
  if (last && Date.now() - last[3] < STALE_MS) return Promise.resolve(last);
  return new Promise((done) => {
    if (!navigator.geolocation) return done(null);
    return navigator.geolocation.getCurrentPosition((position) => done(fixOf(position)), () => done(null), { maximumAge: STALE_MS, timeout: 3000 });
  });
}

export const known = () => last;

// Haversine, R = 6,371,008.8 m.
export function distance(lat1, lon1, lat2, lon2) {
  const a = Math.sin((lat2 - lat1) * RADIANS / 2) ** 2 + Math.cos(lat1 * RADIANS) * Math.cos(lat2 * RADIANS) * Math.sin((lon2 - lon1) * RADIANS / 2) ** 2;
  return 2 * 6371008.8 * Math.asin(Math.sqrt(a));
}

export function bearing(lat1, lon1, lat2, lon2) {
  const y = Math.sin((lon2 - lon1) * RADIANS) * Math.cos(lat2 * RADIANS);
  const x = Math.cos(lat1 * RADIANS) * Math.sin(lat2 * RADIANS) - Math.sin(lat1 * RADIANS) * Math.cos(lat2 * RADIANS) * Math.cos((lon2 - lon1) * RADIANS);
  return (Math.atan2(y, x) / RADIANS + 360) % 360;
}

export const heading = (degrees) => t`北 东北 东 东南 南 西南 西 西北`.split(" ")[Math.round(degrees / 45) % 8];

// How far a fix is from the edge of the site: below zero inside. A fence is a ring of [lat, lon]; without one, a circle.
export function beyond(fix, site) {
  const ring = site.fence;
  if (!ring) return distance(fix[0], fix[1], site.lat, site.lon) - site.radius_m;
  const k = 111195;
  const c = k * Math.cos(fix[0] * RADIANS);
  let inside = false;
  let near = Infinity;
  ring.forEach(([lat, lon], at) => {
    const [lat2, lon2] = ring[(at + 1) % ring.length];
    const [x1, y1, x2, y2] = [(lon - fix[1]) * c, (lat - fix[0]) * k, (lon2 - fix[1]) * c, (lat2 - fix[0]) * k];
    if (y1 > 0 !== y2 > 0 && x1 - y1 * (x2 - x1) / (y2 - y1) > 0) inside = !inside;
    const along = Math.max(0, Math.min(1, -(x1 * (x2 - x1) + y1 * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2 || 1)));
    near = Math.min(near, Math.hypot(x1 + along * (x2 - x1), y1 + along * (y2 - y1)));
  });
  return inside ? -near : near;
}

// The rule of mobile.md 5.3, d counted from the edge.
export function judged(fixes, site) {
  if (!fixes.length) return { kind: "unclear" };
  const best = fixes.reduce((one, other) => (other[2] <= one[2] ? other : one));
  const [d, a] = [beyond(best, site), best[2]];
  const kind = d + a <= 0 ? "certain" : d - a > 0 ? "outside" : a <= 100 && d <= Math.min(a, 50) ? "likely" : "unclear";
  return { kind, away: distance(best[0], best[1], site.lat, site.lon), accuracy: a };
}

export const PRESENCE = {
  certain: ["good", t`确在现场`],
  likely: ["good", t`很可能在现场`],
  unclear: ["warn", t`位置不明`],
  outside: ["bad", t`在范围外`],
};
