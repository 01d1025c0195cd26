// Drawing rectangles on a photo. Without this the numbers below do the same.
(function () {
  "use strict";
  var picture = document.querySelector("#cover svg");
  var rows = [].slice.call(document.querySelectorAll("#covers-caption ~ tbody tr"));
  if (!picture || !window.PointerEvent) { return; }

  function inputs(row) { return [].slice.call(row.querySelectorAll("input")); }
  function numbers(row) { return inputs(row).map(function (input) { return input.value.trim() === "" ? NaN : Number(input.value); }); }
  function isEmpty(row) { return inputs(row).every(function (input) { return input.value.trim() === ""; }); }

  function rectangle(numbers) {
    var drawn = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    ["x", "y", "width", "height"].forEach(function (name, place) { drawn.setAttribute(name, numbers[place]); });
    return drawn;
  }

  function draw(extra) {
    while (picture.firstChild) { picture.removeChild(picture.firstChild); }
    rows.map(numbers).concat(extra ? [extra] : []).forEach(function (found) {
      if (found.every(isFinite)) { picture.appendChild(rectangle(found)); }
    });
  }

  function at(event) {
    var box = picture.getBoundingClientRect();
    return [[event.clientX - box.left, box.width], [event.clientY - box.top, box.height]].map(function (pair) {
      return Math.min(100, Math.max(0, pair[0] / pair[1] * 100));
    });
  }

  function between(one, other) {
    return [0, 1].map(function (axis) { return Math.min(one[axis], other[axis]); }).concat(
      [0, 1].map(function (axis) { return Math.abs(one[axis] - other[axis]); }));
  }

  var start = null;
  picture.addEventListener("pointerdown", function (event) {
    start = at(event);
    picture.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  picture.addEventListener("pointermove", function (event) { if (start) { draw(between(start, at(event))); } });
  picture.addEventListener("pointercancel", function () { start = null; draw(); });
  picture.addEventListener("pointerup", function (event) {
    var found = start && between(start, at(event));
    var row = rows.filter(isEmpty)[0];
    start = null;
    if (found && row && found[2] > 0.5 && found[3] > 0.5) {
      inputs(row).forEach(function (input, place) { input.value = found[place].toFixed(2); });
    }
    draw();
  });
  rows.forEach(function (row) { row.addEventListener("input", function () { draw(); }); });
}());
