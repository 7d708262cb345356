// Steward's own script: every page reads and every form works without it; with it they are quick.
// Everything hangs on the document, so what htmx swaps in works without being bound again.
(() => {
  "use strict";
  const doc = document, root = doc.documentElement;
  const one = (sel, at) => (at || doc).querySelector(sel);
  const all = (sel, at) => [...(at || doc).querySelectorAll(sel)];
  const make = (tag, cls, text) => {
    const el = doc.createElement(tag);
    if (cls) el.className = cls;
    if (text !== undefined) el.textContent = text;
    return el;
  };
  root.classList.add("js");

  // ---- theme: the cookie lets the server render it, local storage brings it back when the cookie went
  const setTheme = (theme) => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    try { localStorage.setItem("theme", theme); } catch { /* storage may be closed */ }
    doc.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax`;
    all("[data-theme-now]").forEach((el) => { el.dataset.themeNow = theme; el.title = `Theme: ${theme}`; });
  };
  try {
    const kept = localStorage.getItem("theme");
    if (kept && !/(^|; )theme=/.test(doc.cookie)) setTheme(kept);
  } catch { /* storage may be closed */ }
  const nextTheme = () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme || (dark ? "dark" : "light");
    setTheme(now === "dark" ? "light" : "dark");
  };

  // ---- announcing to screen readers
  const say = (text) => {
    const el = one("#said");
    if (el) { el.textContent = ""; setTimeout(() => { el.textContent = text; }, 30); }
  };

  // ---- copying
  const copy = async (button) => {
    const from = button.dataset.copyFrom && one(button.dataset.copyFrom);
    const text = from ? (from.value ?? from.textContent) : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", "hide");
      area.value = text;
      doc.body.append(area);
      area.select();
      doc.execCommand("copy");
      area.remove();
    }
    const word = one(".word", button), before = word && word.textContent;
    if (word) word.textContent = "Copied";
    button.classList.add("good");
    say("Copied");
    setTimeout(() => { if (word) word.textContent = before; button.classList.remove("good"); }, 1600);
  };

  // ---- times: relative ones stay true; hovering says the viewer's own time
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const ago = (then) => {
    const s = Math.round((Date.now() - then) / 1000);
    if (s < -60 || s >= 86400) return null;
    if (s < 45) return "just now";
    if (s < 3600) return `${Math.max(1, Math.round(s / 60))} min ago`;
    return `${Math.round(s / 3600)} h ago`;
  };
  const refreshTimes = () => all("time[data-relative]").forEach((el) => {
    const text = ago(Date.parse(el.dateTime));
    if (text && el.textContent !== text) el.textContent = text;
  });
  setInterval(refreshTimes, 30000);
  const explainTime = (el) => {
    const at = Date.parse(el.dateTime);
    if (!at || el.dataset.explained) return;
    el.dataset.explained = "1";
    const mine = full.format(at);
    el.title = el.title && !el.title.startsWith(mine) ? `${mine} (yours)\n${el.title}` : mine;
  };

  // ---- dialogs
  const openDialog = (dialog) => { if (dialog && !dialog.open) dialog.showModal(); };
  const confirmIn = async (link) => {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".confirm");
    if (!found) { location.href = link.href; return; }
    const dialog = make("dialog");
    dialog.setAttribute("aria-label", link.textContent.trim());
    dialog.append(found);
    doc.body.append(dialog);
    dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
    openDialog(dialog);
    const first = one("[autofocus], button", dialog);
    if (first) first.focus();
  };

  // ---- command palette
  const commands = () => {
    const seen = new Set(), out = [];
    all("a[data-cmd], button[data-cmd]").forEach((el) => {
      const name = el.dataset.cmd || el.textContent.trim();
      if (!name || seen.has(name)) return;
      seen.add(name);
      out.push({ name, hint: el.dataset.keys ? `g ${el.dataset.keys}` : el.dataset.key || el.dataset.hint || "", go: () => el.click() });
    });
    out.push({ name: "Switch theme", hint: "", go: nextTheme });
    out.push({ name: "Show the keys", hint: "?", go: showKeys });
    return out;
  };
  let found = [], at = 0;
  const drawPalette = () => {
    const dialog = one("#palette"), list = one("ul", dialog), typed = one("input", dialog).value.trim().toLowerCase();
    const fits = (name) => typed.split(/\s+/).every((word) => name.toLowerCase().includes(word));
    found = commands().filter((c) => fits(c.name));
    const search = one("form[data-search]");
    if (typed && search) {
      found.push({ name: `Search runs for “${typed}”`, hint: "/", go: () => { location.href = `${search.action}?q=${encodeURIComponent(typed)}`; } });
    }
    at = Math.min(at, Math.max(found.length - 1, 0));
    list.replaceChildren(...found.map((c, i) => {
      const li = make("li", "", c.name);
      li.id = `cmd-${i}`;
      li.setAttribute("role", "option");
      li.setAttribute("aria-selected", String(i === at));
      if (c.hint) li.append(make("span", "hint", c.hint));
      li.addEventListener("click", () => run(i));
      return li;
    }));
    one("input", dialog).setAttribute("aria-activedescendant", found.length ? `cmd-${at}` : "");
    const now = list.children[at];
    if (now) now.scrollIntoView({ block: "nearest" });
  };
  const run = (i) => {
    const command = found[i];
    one("#palette").close();
    if (command) command.go();
  };
  const openPalette = () => {
    const dialog = one("#palette");
    if (!dialog) return;
    one("input", dialog).value = "";
    at = 0;
    openDialog(dialog);
    drawPalette();
  };

  // ---- lists by keyboard
  const rows = () => all("tr.opens, .need").filter((row) => row.offsetParent !== null);
  const openerOf = (row) => one("a.open, h3 a", row);
  const moveRow = (by) => {
    const list = rows();
    if (!list.length) return;
    const now = list.findIndex((row) => row.contains(doc.activeElement));
    const next = list[Math.max(0, Math.min(list.length - 1, now < 0 ? (by > 0 ? 0 : list.length - 1) : now + by))];
    const link = openerOf(next);
    if (link) { link.focus({ preventScroll: true }); next.scrollIntoView({ block: "nearest" }); }
  };
  const tickRow = () => {
    const row = doc.activeElement && doc.activeElement.closest("tr.opens");
    const box = row && one("input[type=checkbox]", row);
    if (box) box.click();
  };
  const countTicks = (form) => {
    const ticked = all("tbody input[type=checkbox]:checked", form).length;
    const bulk = one(".bulk", form);
    all("tbody tr", form).forEach((row) => {
      const box = one("input[type=checkbox]", row);
      row.classList.toggle("chosen", Boolean(box && box.checked));
    });
    if (!bulk) return;
    bulk.classList.toggle("any", ticked > 0);
    const count = one("[data-count]", bulk);
    if (count) count.textContent = String(ticked);
  };

  // ---- the page's own keys: what carries `data-key` is pressed by it, or gone to where it is typed into;
  // what stands in a row of a list answers while the row has the focus
  const isField = (el) => /^(TEXTAREA|SELECT)$/.test(el.tagName) || (el.tagName === "INPUT" && !/^(checkbox|radio|button|submit)$/.test(el.type));
  const press = (key) => {
    const sel = `[data-key="${CSS.escape(key)}"]`;
    const row = doc.activeElement && doc.activeElement.closest("tr.opens, .need");
    const el = (row && one(sel, row)) || all(sel).find((other) => other.checkVisibility() && !other.closest("tr.opens, .need"));
    if (!el) return false;
    if (isField(el)) { const fold = el.closest("details"); if (fold) fold.open = true; el.focus(); }
    else if (el.type === "radio" && el.checked) { takeOff(el); }
    else el.click();
    return true;
  };
  const takeOff = (radio) => {
    radio.checked = false;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const nameOf = (el) => el.dataset.keyName || el.getAttribute("aria-label") || (el.labels && el.labels[0] && el.labels[0].textContent) || el.textContent;
  const showKeys = () => {
    const dialog = one("#keys"), list = dialog && one("dl", dialog);
    if (!list) return;
    all("[data-own]", list).forEach((el) => el.remove());
    const known = new Set(), own = [];
    all("[data-key]").forEach((el) => {
      const key = el.dataset.key;
      if (known.has(key)) return;
      known.add(key);
      const term = make("dt"), what = make("dd", "", nameOf(el).replace(/\s+/g, " ").trim().replace(new RegExp(`\\s${key.replace(/\W/g, "\\$&")}$`), ""));
      term.append(make("kbd", "", key));
      term.dataset.own = what.dataset.own = "1";
      own.push(term, what);
    });
    list.prepend(...own);
    openDialog(dialog);
  };

  // ---- keys
  let going = 0;
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName)) && !/^(checkbox|radio|button|submit)$/.test(el.type);
  doc.addEventListener("keydown", (e) => {
    const palette = one("#palette");
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") { e.preventDefault(); openPalette(); return; }
    if ((e.ctrlKey || e.metaKey) && e.key === "Enter") {
      // The form in which one is, else the one that the page is for.
      const form = (doc.activeElement && doc.activeElement.closest("form:has([data-save])")) || one("form[data-main]");
      if (form) { e.preventDefault(); form.requestSubmit(one("button[data-save]", form) || undefined); }
      return;
    }
    if (palette && palette.open) {
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        e.preventDefault();
        at = (at + (e.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(found.length, 1);
        drawPalette();
      } else if (e.key === "Enter") { e.preventDefault(); run(at); }
      return;
    }
    if (e.key === "Escape") {
      all("details.menu[open]").forEach((d) => { d.open = false; const s = one("summary", d); if (d.contains(doc.activeElement) && s) s.focus(); });
      if (typing(doc.activeElement)) doc.activeElement.blur();
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || typing(doc.activeElement) || one("dialog[open]")) return;
    if (going && Date.now() - going < 1200) {
      going = 0;
      const link = one(`a[data-keys="${CSS.escape(e.key)}"]`);
      if (link) { e.preventDefault(); link.click(); }
      return;
    }
    switch (e.key) {
      case "?": e.preventDefault(); showKeys(); break;
      case "g": going = Date.now(); break;
      case "/": {
        const box = all("input[type=search]").find((input) => input.offsetParent !== null);
        e.preventDefault();
        if (box) { box.focus(); box.select(); } else openPalette();
        break;
      }
      case "j": moveRow(1); break;
      case "k": moveRow(-1); break;
      case "x": tickRow(); break;
      default: if (e.key.length === 1 && press(e.key)) e.preventDefault();
    }
  });
  // One of some that need not be said: choosing it again takes it off.
  doc.addEventListener("pointerdown", (e) => {
    const label = e.target.closest && e.target.closest("[data-optional] label");
    const radio = label && one("input[type=radio]", label);
    if (radio) radio.wasChecked = radio.checked;
  });
  doc.addEventListener("click", (e) => {
    const radio = e.target.matches && e.target.matches("[data-optional] input[type=radio]") ? e.target : null;
    if (radio && radio.wasChecked) takeOff(radio);
    if (radio) radio.wasChecked = false;
  });

  // ---- clicks
  doc.addEventListener("click", (e) => {
    const target = e.target instanceof Element ? e.target : null;
    if (!target) return;
    all("details.menu[open]").forEach((d) => { if (!d.contains(target) || target.closest(".sheet a")) d.open = false; });
    const button = target.closest("[data-copy], [data-copy-from]");
    if (button) { e.preventDefault(); copy(button); return; }
    if (target.closest("[data-theme-now]")) { e.preventDefault(); nextTheme(); return; }
    if (target.closest("[data-palette]")) { e.preventDefault(); openPalette(); return; }
    if (target.closest("[data-keys-help]")) { e.preventDefault(); showKeys(); return; }
    const dismiss = target.closest("[data-dismiss]");
    if (dismiss) { e.preventDefault(); const gone = dismiss.closest(dismiss.dataset.dismiss); if (gone) gone.remove(); return; }
    const close = target.closest("[data-close]");
    if (close && close.closest("dialog")) { e.preventDefault(); close.closest("dialog").close(); return; }
    const ask = target.closest("a[data-confirm]");
    if (ask && !e.ctrlKey && !e.metaKey) { e.preventDefault(); e.stopPropagation(); confirmIn(ask); return; }
    if (target.matches("dialog")) target.close();
  }, true);
  doc.addEventListener("input", (e) => { if (e.target.closest && e.target.closest("#palette")) { at = 0; drawPalette(); } });
  doc.addEventListener("change", (e) => {
    const form = e.target.closest && e.target.closest("form.list");
    if (!form) return;
    if (e.target.matches("[data-all]")) all("tbody input[type=checkbox]", form).forEach((box) => { box.checked = e.target.checked; });
    countTicks(form);
  });
  // A form whose fields answer at once: its submit button is for those without a script.
  doc.addEventListener("change", (e) => {
    const form = e.target.closest && e.target.closest("form[data-auto]");
    if (form) form.requestSubmit();
  });
  doc.addEventListener("mouseover", (e) => { const el = e.target.closest && e.target.closest("time"); if (el) explainTime(el); });
  doc.addEventListener("focusin", (e) => { const el = e.target.closest && e.target.closest("time"); if (el) explainTime(el); });

  // ---- charts: the numbers of the table beside it, read out at the pointer or by arrow keys
  const readings = new WeakMap();
  const numbersOf = (chart) => {
    if (readings.has(chart)) return readings.get(chart);
    const table = one("details.numbers table", chart);
    const value = table && {
      names: all("thead th", table).slice(1).map((th) => th.textContent.trim()),
      rows: all("tbody tr", table).map((tr) => [...tr.children].map((td) => td.textContent.trim())),
    };
    readings.set(chart, value);
    return value;
  };
  // The plot's edges as shares of the picture: said by the page, else the ends of the grid's lines.
  const edgesOf = (plot, svg) => {
    if (plot.dataset.left) return [Number(plot.dataset.left), Number(plot.dataset.right)];
    const box = svg.getBoundingClientRect();
    const lines = all("line", svg).map((line) => line.getBoundingClientRect()).filter((r) => r.height < 3 && r.width > box.width / 2);
    if (!lines.length) return [0, 1];
    return [(Math.min(...lines.map((r) => r.left)) - box.left) / box.width, (Math.max(...lines.map((r) => r.right)) - box.left) / box.width];
  };
  const showReading = (plot, index) => {
    const chart = plot.closest(".chart"), svg = one("svg", plot), numbers = numbersOf(chart);
    if (!numbers || !numbers.rows.length || !svg) return;
    const n = numbers.rows.length, i = Math.max(0, Math.min(n - 1, index));
    const [left, right] = edgesOf(plot, svg);
    const box = svg.getBoundingClientRect(), frame = plot.getBoundingClientRect();
    const share = plot.dataset.points === "centre" ? (i + 0.5) / n : (n === 1 ? 0.5 : i / (n - 1));
    const x = box.left - frame.left + box.width * (left + (right - left) * share);
    let line = one(".cursorline", plot), out = one(".readout", plot);
    if (!line) { line = make("div", "cursorline"); plot.append(line); }
    if (!out) { out = make("div", "readout"); plot.append(out); }
    const row = numbers.rows[i], list = make("dl");
    numbers.names.forEach((name, k) => { list.append(make("dt", "", name), make("dd", "", row[k + 1])); });
    out.replaceChildren(make("b", "", row[0]), list);
    line.style.left = `${x}px`;
    const w = out.offsetWidth;
    out.style.left = `${x + w + 14 > frame.width ? Math.max(0, x - w - 10) : x + 10}px`;
    plot.dataset.at = i;
    return `${row[0]}: ${numbers.names.map((name, k) => `${name} ${row[k + 1]}`).join(", ")}`;
  };
  const hideReading = (plot) => all(".cursorline, .readout", plot).forEach((el) => el.remove());
  doc.addEventListener("pointermove", (e) => {
    const plot = e.target.closest && e.target.closest(".plot[data-points]");
    if (!plot) { all(".plot .readout").forEach((el) => { const p = el.closest(".plot"); if (p !== doc.activeElement) hideReading(p); }); return; }
    const numbers = numbersOf(plot.closest(".chart")), svg = one("svg", plot);
    if (!numbers || !svg) return;
    const box = svg.getBoundingClientRect(), n = numbers.rows.length;
    const [left, right] = edgesOf(plot, svg);
    const share = ((e.clientX - box.left) / box.width - left) / (right - left);
    showReading(plot, plot.dataset.points === "centre" ? Math.floor(share * n) : Math.round(share * (n - 1)));
  });
  doc.addEventListener("keydown", (e) => {
    const plot = doc.activeElement && doc.activeElement.closest && doc.activeElement.closest(".plot[data-points]");
    if (!plot || (e.key !== "ArrowLeft" && e.key !== "ArrowRight")) return;
    e.preventDefault();
    const words = showReading(plot, Number(plot.dataset.at ?? -1) + (e.key === "ArrowRight" ? 1 : -1));
    if (words) say(words);
  });
  doc.addEventListener("focusout", (e) => { const plot = e.target.closest && e.target.closest(".plot[data-points]"); if (plot) hideReading(plot); });

  // ---- live: an event says that something changed; the element is fetched anew from its page and morphed
  const streams = new Map();
  const refresh = (el) => {
    if (!el.isConnected || !el.id) return;
    if (doc.hidden) { el.dataset.stale = "1"; return; }
    delete el.dataset.stale;
    // Nothing is taken out of somebody's hands: no refresh while they type, have a menu open or rows selected in it.
    if (el.contains(doc.activeElement) && typing(doc.activeElement) || one("details.menu[open], tbody .pick input:checked", el)) { setTimeout(refresh, 4000, el); return; }
    const open = all("details[open][id]", el).map((d) => d.id);
    window.htmx.ajax("GET", el.dataset.liveFrom || location.pathname + location.search, {
      source: el, target: el, swap: "outerMorph show:none", select: `#${CSS.escape(el.id)}`, push: "false",
    }).then(() => open.forEach((id) => { const d = doc.getElementById(id); if (d) d.open = true; }));
  };
  const soon = (el) => {
    clearTimeout(el.liveTimer);
    el.liveTimer = setTimeout(refresh, Number(el.dataset.liveWait) || 700, el);
  };
  const listen = () => {
    for (const [url, stream] of streams) {
      if (!all("[data-live]").some((el) => el.dataset.live === url)) { stream.close(); streams.delete(url); }
    }
    all("[data-live]").forEach((el) => {
      const url = el.dataset.live;
      if (!url || streams.has(url)) return;
      const stream = new EventSource(url);
      const changed = () => all("[data-live]").filter((other) => other.dataset.live === url).forEach(soon);
      stream.addEventListener("message", changed);
      stream.addEventListener("change", changed);
      streams.set(url, stream);
    });
  };
  doc.addEventListener("visibilitychange", () => { if (!doc.hidden) all("[data-stale]").forEach(refresh); });
  window.addEventListener("pagehide", () => { for (const stream of streams.values()) stream.close(); streams.clear(); });

  const settle = () => {
    refreshTimes();
    listen();
    all("form.list").forEach(countTicks);
    // What offers to take something back stays until it is left or dismissed.
    const flash = one(".flash.good:not(:has(form))");
    if (flash && !flash.dataset.timed) { flash.dataset.timed = "1"; setTimeout(() => flash.remove(), 6000); }
  };
  doc.addEventListener("htmx:after:swap", settle);
  if (doc.readyState === "loading") doc.addEventListener("DOMContentLoaded", settle); else settle();
})();
