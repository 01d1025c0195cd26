// Keys, the call's clock, a sign of life each minute, a visit's position. Without it every button works by itself.
const token = document.querySelector('input[name=form_token]')?.value ?? '';
const writing = 'input:not([type=checkbox]):not([type=hidden]), textarea, select';

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest(writing)) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  const found = [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key === key);
  if (!found || event.repeat) return;
  event.preventDefault();
  found.click();
  const opened = found.closest('details');
  if (found.matches('summary') && opened.open) (opened.querySelector(writing) ?? found).focus();
});

for (const form of document.querySelectorAll('form[data-once]')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = 'yes';
  });
}
addEventListener('pageshow', () => document.querySelectorAll('form[data-sent]').forEach((one) => delete one.dataset.sent));

const timer = document.querySelector('[data-since]');
if (timer) {
  const began = Number(timer.dataset.since);
  const tick = () => {
    const seconds = Math.max(0, Math.floor((Date.now() - began) / 1000));
    timer.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  };
  tick();
  setInterval(tick, 1000);
}

const beat = document.querySelector('[data-beat]')?.dataset.beat;
if (beat) {
  setInterval(async () => {
    try {
      const reply = await fetch(beat, { method: 'POST', headers: { 'X-Form-Token': token } });
      if (reply.status === 409 || reply.status === 401) location.assign('/interviewer');
    } catch {
      // No network for a moment: the hold outlasts it.
    }
  }, 60_000);
}

const locating = document.querySelector('[data-locating]');
if (locating && navigator.geolocation) {
  locating.hidden = false;
  const told = locating.querySelector('[data-located]');
  const fields = locating.closest('form').elements;
  locating.querySelector('[data-locate]').addEventListener('click', () => {
    told.textContent = told.dataset.searching;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        for (const name of ['latitude', 'longitude', 'accuracy']) fields[name].value = coords[name];
        told.textContent = told.dataset.found.replace('{m}', Math.round(coords.accuracy));
      },
      () => {
        told.textContent = told.dataset.failed;
      },
      { enableHighAccuracy: true, timeout: 20_000 },
    );
  });
}
