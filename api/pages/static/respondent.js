/* ES5; what for: respondent.py */
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
    var data;
    if (!timer || sent || !w.URLSearchParams || !navigator.sendBeacon) return;
    clearTimeout(timer);
    timer = 0;
    data = new URLSearchParams(new FormData(form));
    data.append('do', 'keep');
    navigator.sendBeacon('/survey', data);
  }
  form.addEventListener('change', function () {
    if (count) count.firstChild.data = +count.getAttribute('data-more') + form.querySelectorAll('.scale :checked').length;
    if (js && !timer) timer = setTimeout(keep, 800);
  });
  form.addEventListener('input', function (event) {
    var field = event.target, most = field.getAttribute('data-most'), told = most && d.getElementById('n-' + field.id);
    if (!told) return;
    told.className = field.value.length > most ? 'err' : 'soft';
    told.lastChild.hidden = false;
    told.lastChild.lastChild.innerHTML = field.value.length;
  });
  w.addEventListener('pagehide', keep);
  form.addEventListener('submit', function (event) {
    if (sent && new Date() - sent < 8000) return event.preventDefault();
    sent = new Date();
    d.body.className = 'busy';
  });
  w.addEventListener('pageshow', function () { sent = 0; d.body.className = ''; });
})(document, window);
