/* ES5 that only helps; api/pages/respondent.py says what for. */
(function (d, w) {
  var code = d.getElementById('code'), form = d.getElementById('answers'), js = d.getElementById('js'),
    count = d.getElementById('count'), sent = 0, timer, links, i;
  if (js) js.value = 1;
  if (code && location.hash.length > 1) {
    code.value = location.hash.slice(1);
    links = d.querySelectorAll('.tools a');
    for (i = 0; i < links.length; i++) links[i].hash = location.hash;
  }
  if (w.history.replaceState) history.replaceState(null, '', d.body.getAttribute('data-url'));
  if (!form || !form.addEventListener) return;
  function keep() {
    var data, ask;
    clearTimeout(timer);
    if (!timer || sent || !w.FormData) return;
    timer = 0;
    data = new FormData(form);
    data.append('do', 'keep');
    if (navigator.sendBeacon) return navigator.sendBeacon('/survey', data);
    ask = new XMLHttpRequest();
    ask.open('POST', '/survey');
    ask.send(data);
  }
  form.addEventListener('change', function () {
    if (count) count.firstChild.data = form.querySelectorAll('.scale :checked').length;
    clearTimeout(timer);
    if (js) timer = setTimeout(keep, 2000);
  });
  w.addEventListener('pagehide', keep);
  form.addEventListener('submit', function (event) {
    if (sent && new Date() - sent < 8000) return event.preventDefault();
    sent = new Date();
  });
  w.addEventListener('pageshow', function () { sent = 0; });
})(document, window);
