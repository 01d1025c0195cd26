"""How fast a phone answers a tap and how much memory it holds with 50 visits of 5 photos each in its queue.

    python -m tests.bench.bench_phone [VISITS] [PHOTOS] [KILOBYTES]

A real Chromium at 390 × 844, offline. The visits are written by the page's own store and chain; a tap is measured in
the page from the click to the frame after the screen has changed. Memory is what the browser's renderer holds: the
JavaScript heap by CDP, and the process's own pages (Pss of /proc where the kernel tells).
"""

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

from api.app import create_app
from api.config import Settings
from api.embedded.place import occupy
from api.embedded.postgres import EmbeddedPostgres
from api.embedded.valkey import EmbeddedValkey
from api.services import KEY
from api.store.base import make_engine
from api.store.migrate import migrate
from tests.field_phone import HOME, a_profile, a_town_with_tasks, page_of, ready_for_offline, sign_in
from tests.live import serving

FILL = """async ([visits, photos, bytes]) => {
  const open = () => new Promise((done) => { indexedDB.open("mingcha-phone").onsuccess = (event) => done(event.target.result); });
  const db = await open();
  const read = (store, key) => new Promise((done) => { db.transaction(store).objectStore(store).get(key).onsuccess = (e) => done(e.target.result); });
  const { data } = await read("kv", "bundle");
  const { inspector } = await read("kv", "token");
  const hex = () => Array.from(crypto.getRandomValues(new Uint8Array(32)), (b) => b.toString(16).padStart(2, "0")).join("");
  const canvas = new OffscreenCanvas(176, 176);
  canvas.getContext("2d").putImageData(new ImageData(Uint8ClampedArray.from({ length: 176 * 176 * 4 }, () => Math.random() * 255), 176), 0, 0);
  const picture = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.7 });
  const thumb = await new Promise((done) => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(picture); });
  for (let at = 0; at < visits; at += 1) {
    const shots = Array.from({ length: photos }, () => ({ sha256: hex(), size: bytes }));
    const events = shots.map((shot, n) => JSON.stringify({ n, kind: "photo", at: Date.now(), mono: 1, prev: hex(), sha256: shot.sha256, size: bytes, name: "IMG.jpg", type: "image/jpeg", modified: 1, fix: [24.4, 118, 12, 1], nonce: "1234" }));
    const tx = db.transaction(["visits", "blobs"], "readwrite");
    shots.forEach((shot) => { const noise = new Uint8Array(bytes); for (let i = 0; i < bytes; i += 65536) crypto.getRandomValues(noise.subarray(i, Math.min(bytes, i + 65536))); tx.objectStore("blobs").put({ sha256: shot.sha256, blob: new Blob([noise]), thumb }); });
    const id = crypto.randomUUID();
    tx.objectStore("visits").put({ id, assignment: Object.assign({}, data.assignments[0], { id: crypto.randomUUID() }), inspector, created_at: Date.now(), rev: 1, events, head: hex(), blobs: shots.map((shot) => shot.sha256), shots, checks: {}, findings: [], answers: {}, note: "", signature: null, frozen: Date.now() });
    await new Promise((done, fail) => { tx.oncomplete = done; tx.onabort = () => fail(tx.error); });
  }
}"""  # noqa: E501 - runs in the page

TAP = """([selector, ready]) => new Promise((done) => {
  const began = performance.now();
  const end = () => done(performance.now() - began);
  const seen = () => (document.querySelector(ready) ? requestAnimationFrame(end) : setTimeout(seen, 1));
  document.querySelector(selector).click();
  seen();
})"""

TAPS = {
    "queue": ("a.chip", "#main ul.lines"),
    "today": ("a.back", "#main .tasks"),
    "task": ("a.task", "#main .place"),
    "back": ("a.back", "#main .tasks"),
}


def taps(page: Page, rounds: int = 10) -> dict[str, list[float]]:
    """Milliseconds of each kind of tap."""
    found: dict[str, list[float]] = {name: [] for name in TAPS}
    for _ in range(rounds):
        for name, (selector, ready) in TAPS.items():
            # The mark of the old screen goes first, or the tap would be over before it began.
            page.evaluate(
                "(ready) => document.querySelectorAll(ready).forEach((one) => one.removeAttribute('class'))", ready
            )
            found[name].append(page.evaluate(TAP, [selector, ready]))
    return found


def renderer_memory(cdp: CDPSession) -> float:
    """MB of the largest renderer process: its proportional share of pages where /proc tells, else resident pages."""
    sizes = []
    for process in cdp.send("SystemInfo.getProcessInfo")["processInfo"]:
        if process["type"] == "renderer":
            lines = Path(f"/proc/{process['id']}/smaps_rollup").read_text(encoding="ascii").splitlines()
            sizes.append(int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024)
    return max(sizes)


def measure(address: str, chromium: str, folder: Path, numbers: tuple[int, int, int]) -> None:
    """Fill the queue, tap, weigh."""
    visits, photos, kilobytes = numbers
    with sync_playwright() as playwright, a_profile(playwright, chromium, folder) as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        context.set_offline(True)
        page.evaluate(FILL, [visits, photos, kilobytes * 1024])
        page.reload()
        page.goto(address + HOME + "#/")
        page.wait_for_selector(".tasks")
        for name, times in taps(page).items():
            ordered = sorted(times)
            print(f"  {name:6} median {statistics.median(ordered):6.1f} ms   largest {ordered[-1]:6.1f} ms")
        heap = context.new_cdp_session(page).send("Runtime.getHeapUsage")
        print(f"  JavaScript heap {heap['usedSize'] / 1e6:.1f} MB")
        browser = context.browser
        cdp = browser.new_browser_cdp_session() if browser else context.new_cdp_session(page)
        print(f"  renderer {renderer_memory(cdp):.0f} MB (Pss)")


def main() -> None:
    """Serve a town of our own and measure a phone on it."""
    given = [int(word) for word in sys.argv[1:4]]
    numbers = (given + [50, 5, 600][len(given) :])[:3]
    print(f"{numbers[0]} visits of {numbers[1]} photos of {numbers[2]} kB waiting")
    with tempfile.TemporaryDirectory() as name, occupy(Path(name)) as place:
        folder = Path(name)
        with EmbeddedPostgres(place) as postgres, EmbeddedValkey(place) as valkey:
            engine = make_engine(postgres.url("postgres"))
            migrate(engine)
            with engine.begin() as connection:
                a_town_with_tasks(connection)
            settings = Settings(
                database_url=postgres.url("postgres"), redis_url=valkey.url(), secret_key=b"k" * 32, pepper=b"p" * 32,
                base_url="http://127.0.0.1", data_dir=folder, objects=folder / "objects",
            )  # fmt: skip
            app = create_app(settings)
            with serving(app) as address:
                measure(address, "/usr/bin/chromium", folder / "profile", (numbers[0], numbers[1], numbers[2]))
            app.extensions[KEY].database.engine.dispose()
            engine.dispose()


if __name__ == "__main__":
    main()
