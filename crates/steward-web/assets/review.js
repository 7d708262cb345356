// The time that somebody really spends on a review: counted while the window has the focus and something was done in it
// not long ago, told to the server every few seconds, and with the form. Without this script the server takes the time
// from the claim to the form, and says so.
(() => {
  "use strict";
  const doc = document;
  const one = (sel, at) => (at || doc).querySelector(sel);
  const TICK_MS = 1000, TELL_EVERY_MS = 15000;
  // A tick that comes late was held up by a machine that slept or a window out of sight: no more than this counts of it.
  const LONGEST_TICK_MS = 2000;

  let form = null; // The review's form that is counted for.
  let sent = null; // The same, once it is on its way: nothing more is counted for it.
  let counted = 0, told = 0, ticked = 0, tried = 0, touched = 0;

  const unsent = () => Math.round(counted - told);
  const inWords = (ms) => {
    const s = Math.floor(ms / 1000), two = (n) => String(n).padStart(2, "0");
    return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  };
  const isActive = (now) => doc.visibilityState === "visible" && doc.hasFocus() && now - touched < Number(form.dataset.idleMs);
  const body = (of, ms) => new URLSearchParams({ csrf: one("input[name=csrf]", of).value, active_ms: String(ms) });

  const draw = (active) => {
    const clock = one("[data-clock]", form), word = one("[data-clock-word]", form);
    const text = inWords(Number(form.dataset.countedMs) + counted);
    if (clock && clock.textContent !== text) clock.textContent = text;
    const state = active ? "counting" : "paused";
    if (word && word.textContent !== state) word.textContent = state;
    form.classList.toggle("paused", !active);
  };

  const lost = () => {
    const notice = one("[data-lost]", form);
    if (notice) notice.hidden = false;
  };
  const tell = async () => {
    const of = form, ms = unsent();
    told += ms;
    tried = performance.now();
    try {
      const answer = await fetch(of.dataset.keep, { method: "POST", body: body(of, ms), redirect: "error" });
      if (answer.status === 404 || answer.status === 409) { if (of === form) lost(); return; }
      if (!answer.ok) throw new Error(answer.statusText);
    } catch {
      // It is told again with the next.
      if (of === form) told -= ms;
    }
  };
  // The page goes: what is not told yet goes with it.
  const leave = () => {
    const ms = form ? unsent() : 0;
    if (ms <= 0 || form === sent) return;
    told += ms;
    navigator.sendBeacon(form.dataset.keep, body(form, ms));
  };

  const begin = () => {
    const found = one("form[data-review]");
    if (found === form) return;
    leave();
    form = found;
    if (!form) return;
    [counted, told] = [0, 0];
    ticked = tried = touched = performance.now();
    const measured = one("input[name=measured]", form);
    if (measured) measured.value = "1";
    draw(true);
  };
  const tick = () => {
    begin();
    if (!form || form === sent) return;
    const now = performance.now(), active = isActive(now);
    if (active) counted += Math.min(now - ticked, LONGEST_TICK_MS);
    ticked = now;
    draw(active);
    if (now - tried >= TELL_EVERY_MS && unsent() > 0) tell();
  };

  for (const event of ["pointermove", "pointerdown", "keydown", "wheel", "scroll", "input", "focusin"]) {
    doc.addEventListener(event, () => { touched = performance.now(); }, { capture: true, passive: true });
  }
  doc.addEventListener("submit", (e) => {
    if (!form || e.target !== form) return;
    tick();
    const field = one("input[name=active_ms]", form);
    if (field) field.value = String(Math.max(0, unsent()));
    told = counted;
    sent = form;
    // The next case has fields of the same names: what is typed there is meant for its keys.
    if (form.contains(doc.activeElement)) doc.activeElement.blur();
    // Where no answer comes, somebody is still at it.
    setTimeout(() => { sent = null; ticked = performance.now(); }, 10000);
  }, true);
  doc.addEventListener("visibilitychange", () => { if (form) { tick(); if (doc.hidden) leave(); } });
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", () => { ticked = performance.now(); });
  doc.addEventListener("htmx:after:swap", begin);
  setInterval(tick, TICK_MS);
  if (doc.readyState === "loading") doc.addEventListener("DOMContentLoaded", begin); else begin();
})();
