// How far a frame has been read. Without it the page reloads itself.
"use strict";
const box = document.getElementById("reading");
async function look() {
  try {
    const answer = await fetch(box.dataset.progress);
    const told = await answer.json();
    if (told.status !== "reading") {
      location.reload();
      return;
    }
    document.getElementById("read").textContent = told.read.toLocaleString("en");
    if (told.total) document.getElementById("bar").value = told.read;
  } catch {
    // the server is away for a moment; the next look tells
  }
  setTimeout(look, 1000);
}
if (box) setTimeout(look, 1000);
