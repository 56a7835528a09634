// The demo's page: three chats that move, an audience to direct, figures, and the newcomer's own lines.
(() => {
  "use strict";

  const $ = (s, in_ = document) => in_.querySelector(s);
  const $$ = (s, in_ = document) => [...in_.querySelectorAll(s)];
  const keep = 150; // lines of a chat in the page
  const names = { twitch: "Twitch", youtube: "YouTube", discord: "Discord" };

  // Who the newcomer is, kept in this browser. The key is made here; answers for them alone come to it.
  const store = "hawker-demo";
  let self = {};
  try {
    self = JSON.parse(localStorage.getItem(store)) || {};
  } catch {
    self = {}; // no storage, or not ours: begin anew
  }
  const save = () => {
    try {
      localStorage.setItem(store, JSON.stringify(self));
    } catch {
      // it lasts as long as the page, then
    }
  };
  if (!/^[0-9a-f]{32}$/.test(self.key || "")) {
    self.key = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  }
  self.name ||= "newcomer";
  save();

  const notice = (text) => {
    const p = document.createElement("p");
    p.className = "notice bad";
    p.textContent = text;
    $("#notice").replaceChildren(p);
    setTimeout(() => p.remove(), 6000);
  };
  const post = async (where, fields) => {
    try {
      const r = await fetch(where, { method: "POST", body: new URLSearchParams({ key: self.key, name: self.name, ...fields }) });
      if (!r.ok) notice((await r.text()).trim());
      return r.ok;
    } catch {
      notice("The demo does not answer. Is it still running?");
      return false;
    }
  };

  // Chats.
  const make = (tag, className, text) => {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const hue = (name) => {
    let h = 0;
    for (const c of name) h = (h * 31 + c.codePointAt(0)) % 360;
    return h;
  };
  const link = (href, text) => {
    const a = make("a", "", text);
    a.href = href;
    a.target = "_blank";
    return a;
  };
  const rich = (into, text) => {
    let at = 0;
    for (const m of text.matchAll(/https?:\/\/[^\s<>"]*[^\s<>".,;:!?)]/g)) {
      const bare = m[0].replace(/^https?:\/\//, "");
      into.append(text.slice(at, m.index), link(m[0], bare.length > 40 ? bare.slice(0, 38) + "…" : bare));
      at = m.index + m[0].length;
    }
    into.append(text.slice(at));
    return into;
  };
  const time = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

  const draw = (l) => {
    const li = make("li", "line");
    li.dataset.id = l.id;
    for (const [on, c] of [[l.bot, "bot"], [l.mine, "mine"], [l.tome, "tome"], [l.private, "private"], [l.role, "role-" + l.role]]) {
      if (on) li.classList.add(c);
    }
    li.style.setProperty("--hue", hue(l.who));
    if (l.reply) {
      const q = make("span", "quote");
      q.append(make("b", "", "@" + l.reply.who), " " + l.reply.text);
      li.append(q);
    }
    if (l.p !== "twitch") li.append(make("span", "face", [...l.who][0]?.toUpperCase() || "?"));
    if (l.p === "twitch" && l.role) li.append(make("span", "badge", l.role === "owner" ? "host" : "mod"));
    const who = make("b", "who", l.who);
    if (l.bot && l.p === "discord") who.append(make("span", "badge", "APP"));
    if (l.bot && l.p === "youtube") who.append(make("span", "badge", "by hawker"));
    li.append(who);
    if (l.p === "discord") li.append(make("time", "", time(l.at)));
    const text = rich(make("span", "text"), l.thinking ? "hawker is thinking …" : l.text);
    li.append(text);
    if (l.buttons) {
      const row = make("span", "buttons");
      for (const b of l.buttons) {
        if (b.url) {
          const a = link(b.url, b.label);
          a.className = "button";
          row.append(a);
        } else {
          const x = make("button", "", b.label);
          x.type = "button";
          x.dataset.press = b.press;
          row.append(x);
        }
      }
      li.append(row);
    }
    if (l.private) li.append(make("span", "only", "Only you can see this"));
    else if (l.mine) {
      const x = make("button", "unsay", "Delete");
      x.type = "button";
      x.setAttribute("aria-label", `Delete your line ${l.text}`);
      li.append(x);
    }
    return li;
  };

  const chats = {};
  for (const el of $$("[data-chat]")) {
    const list = $(".lines", el);
    const down = $(".down", el);
    const c = { el, list, down, queue: [], stuck: true };
    chats[el.dataset.chat] = c;
    list.addEventListener("scroll", () => {
      c.stuck = list.scrollHeight - list.scrollTop - list.clientHeight < 48;
      if (c.stuck) down.hidden = true;
    }, { passive: true });
    down.addEventListener("click", () => {
      list.scrollTop = list.scrollHeight;
    });
    new ResizeObserver(() => {
      if (c.stuck) list.scrollTop = list.scrollHeight;
    }).observe(list);
  }

  let planned = false;
  const flush = () => {
    planned = false;
    for (const c of Object.values(chats)) {
      if (!c.queue.length) continue;
      for (const l of c.queue) {
        const old = c.list.querySelector(`[data-id="${CSS.escape(l.id)}"]`);
        if (l.gone) old?.remove();
        else if (old) old.replaceWith(draw(l));
        else c.list.append(draw(l));
      }
      c.queue = [];
      while (c.list.childElementCount > keep) c.list.firstElementChild.remove();
      if (c.stuck) c.list.scrollTop = c.list.scrollHeight;
      else c.down.hidden = false;
    }
  };
  const show = (l) => {
    const c = chats[l.p];
    if (!c) return;
    c.queue.push(l);
    if (c.queue.length > keep) c.queue.shift();
    if (!planned) {
      planned = true;
      requestAnimationFrame(flush);
    }
    if (l.tome && !l.thinking) {
      if (Date.now() - l.at < 10000) $("#heard").textContent = names[l.p] + ": " + l.text;
      const urls = [...l.text.matchAll(/https?:\/\/\S+/g)].map((m) => m[0]).concat((l.buttons || []).map((b) => b.url || ""));
      const receipt = urls.find((u) => u.includes("/c/"));
      if (receipt) {
        self.receipt = receipt;
        save();
        offer();
      }
      const tab = $(`[data-tab="${l.p}"]`);
      if (tab.getAttribute("aria-pressed") !== "true" && Date.now() - l.at < 10000) tab.classList.add("news");
    }
  };
  const offer = () => {
    const a = $("#receipt");
    a.hidden = !self.receipt;
    if (self.receipt) a.href = self.receipt;
  };

  // The newcomer's lines.
  const say = async (platform, text) => {
    chats[platform].stuck = true;
    return post("/demo/say", { chat: platform, text });
  };
  for (const form of $$("form.say")) {
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      const input = form.elements.text;
      const text = input.value.trim();
      if (!text) return;
      input.value = "";
      if (!(await say(form.elements.chat.value, text))) input.value ||= text;
    });
  }
  document.addEventListener("click", (e) => {
    const chip = e.target.closest("[data-say]");
    if (chip) say(chip.closest("[data-chat]").dataset.chat, chip.dataset.say);
    const press = e.target.closest("[data-press]");
    if (press) post("/demo/press", { line: press.closest(".line").dataset.id, press: press.dataset.press });
    const unsay = e.target.closest(".unsay");
    if (unsay) post("/demo/unsay", { chat: unsay.closest("[data-chat]").dataset.chat, line: unsay.closest(".line").dataset.id });
    const tab = e.target.closest("[data-tab]");
    if (tab) {
      for (const t of $$("[data-tab]")) {
        t.setAttribute("aria-pressed", String(t === tab));
        chats[t.dataset.tab].el.classList.toggle("here", t === tab);
      }
      tab.classList.remove("news");
      const c = chats[tab.dataset.tab];
      c.stuck = true;
      c.list.scrollTop = c.list.scrollHeight;
    }
  });
  const me = $("#me");
  me.value = self.name;
  me.addEventListener("change", () => {
    self.name = me.value.trim() || "newcomer";
    me.value = self.name;
    save();
    connect();
  });

  // The crowd. The slider is stretched at its small end, where one viewer more matters.
  const most = Number($("#count").max);
  const toSize = (x) => Math.max(1, Math.round(most ** (x / 100)));
  const toSlide = (n) => Math.round((100 * Math.log(n)) / Math.log(most));
  const size = $("#size");
  const count = $("#count");
  const pause = $("#pause");
  const tell = (n) => {
    count.value = n;
    size.value = toSlide(n);
    size.setAttribute("aria-valuetext", `${n} viewers`);
  };
  tell(Number(count.value));
  size.addEventListener("input", () => {
    count.value = toSize(Number(size.value));
    size.setAttribute("aria-valuetext", `${count.value} viewers`);
  });
  const change = () => {
    const n = Math.min(most, Math.max(1, Math.round(Number(count.value)) || 1));
    tell(n);
    post("/demo/crowd", { size: n });
  };
  size.addEventListener("change", change);
  count.addEventListener("change", change);
  $("#crowd").addEventListener("submit", (e) => {
    e.preventDefault();
    change();
  });
  pause.addEventListener("click", () => post("/demo/crowd", { paused: pause.getAttribute("aria-pressed") !== "true" }));
  const direct = (s) => {
    if (document.activeElement !== count && document.activeElement !== size) tell(s.size);
    pause.setAttribute("aria-pressed", String(s.paused));
    pause.textContent = s.paused ? "Resume" : "Pause";
  };

  // Figures.
  const short = (ms) => (ms < 1000 ? `${ms} ms` : ms < 10000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);
  const timing = (t) => {
    for (const row of $$("[data-row]")) {
      const p = row.dataset.row;
      const cells = [t.answers[p], t.shouts[p]].flatMap((f) => (f ? [f.last, f.median, f.worst].map(short) : ["–", "–", "–"]));
      [...row.querySelectorAll("td")].forEach((td, i) => {
        if (td.textContent !== cells[i]) td.textContent = cells[i];
      });
    }
    const said = [["decide", "decided and on disk after"], ["answer", "answer accepted after"], ["shout", "shout-out after"]]
      .filter(([k]) => t.hub?.[k])
      .map(([k, what]) => `${what} ${short(t.hub[k].median)}`);
    const inside = $("#inside");
    inside.hidden = !said.length;
    inside.textContent = said.length ? `By hawker's own clock, in the median: ${said.join(", ")}.` : "";
  };

  // Video and overlay.
  const video = (on) => {
    on.forEach((there, i) => {
      const box = $(`[data-video="${i}"]`);
      if (!there || $("h-player", box)) return;
      const p = make("h-player");
      p.dataset.src = `/demo/ingest/${i + 1}/index.m3u8`;
      p.dataset.hls = assets.hls;
      p.dataset.worker = assets.worker;
      p.dataset.label = `What platform ${"AB"[i]} receives`;
      $(".wait", box)?.remove();
      box.prepend(p);
      if (i) $("video", p).controls = false; // too small for them
    });
  };
  const assets = { hls: document.body.dataset.hls, worker: document.body.dataset.worker };
  const over = $("[data-overlay]");
  const overlay = () => {
    if (!over) return;
    if (document.hidden || !$("#with-overlay").checked) {
      over.replaceChildren();
      return;
    }
    if (over.firstElementChild) return;
    const f = make("iframe");
    f.title = "The overlay, as the video program shows it";
    f.tabIndex = -1;
    f.src = over.dataset.overlay;
    over.append(f);
  };
  if (over) {
    new ResizeObserver(([e]) => over.style.setProperty("--scale", e.contentRect.width / 1920)).observe(over);
    $("#with-overlay").addEventListener("change", overlay);
  }

  // The stream. A tab that nobody sees lets go of its connections: a browser has six to a host.
  let stream = null;
  const connect = () => {
    stream?.close();
    stream = null;
    overlay();
    if (document.hidden) return;
    stream = new EventSource(`/demo/events?${new URLSearchParams({ key: self.key, name: self.name })}`);
    const on = (name, f) => stream.addEventListener(name, (e) => f(JSON.parse(e.data)));
    on("hello", (h) => {
      if (self.boot !== h.boot) { // another market: its receipts are others
        self.boot = h.boot;
        delete self.receipt;
        save();
      }
      offer();
      for (const c of Object.values(chats)) {
        c.queue = [];
        c.list.replaceChildren();
        c.stuck = true;
      }
    });
    on("line", show);
    on("crowd", direct);
    on("timing", timing);
    on("video", video);
    stream.onopen = () => ($("#lost").hidden = true);
    stream.onerror = () => {
      $("#lost").hidden = false;
      if (stream?.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    };
  };
  document.addEventListener("visibilitychange", connect);
  connect();
})();
