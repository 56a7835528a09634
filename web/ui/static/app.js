// What the pages of hawker do in a browser besides htmx: clocks that run down, the video player, copying, and telling
// when the stream of a page is lost. Everything is an element of its own or one listener for all.
(() => {
  "use strict";

  // One clock for all countdowns: they turn together, once a second.
  const clocks = new Set();
  let timer = 0;
  const turn = () => {
    for (const c of clocks) c.show();
  };
  class Countdown extends HTMLElement {
    static observedAttributes = ["data-at"];
    states = this.attachInternals().states; // not classes: those are the server's to write
    connectedCallback() {
      clocks.add(this);
      if (!timer) timer = setInterval(turn, 1000);
      this.show();
    }
    disconnectedCallback() {
      clocks.delete(this);
      if (!clocks.size) {
        clearInterval(timer);
        timer = 0;
      }
    }
    attributeChangedCallback() {
      if (this.isConnected) this.show();
    }
    show() {
      const left = Math.max(0, Math.round((Number(this.dataset.at) - Date.now()) / 1000));
      const h = Math.floor(left / 3600);
      const m = Math.floor((left % 3600) / 60);
      const two = (n) => String(n).padStart(2, "0");
      const text = h ? `${h}:${two(m)}:${two(left % 60)}` : `${m}:${two(left % 60)}`;
      if (this.textContent !== text) this.textContent = text;
      for (const [state, on] of [["soon", left <= 120 && left > 0], ["over", left === 0]]) {
        this.states[on ? "add" : "delete"](state);
      }
    }
  }
  customElements.define("h-countdown", Countdown);

  // The player loads hls.js only where a page has video. data-src: the playlist; data-hls and data-worker: where hls.js is.
  class Player extends HTMLElement {
    async connectedCallback() {
      if (this.firstElementChild?.tagName === "VIDEO") return;
      const video = document.createElement("video");
      video.playsInline = true;
      video.muted = true;
      video.autoplay = true;
      video.controls = true;
      video.setAttribute("aria-label", this.dataset.label || "Live video");
      this.replaceChildren(video);
      this.play(video);
    }
    disconnectedCallback() {
      this.hls?.destroy();
      clearTimeout(this.retry);
    }
    again(video) {
      clearTimeout(this.retry);
      this.retry = setTimeout(() => this.isConnected && this.play(video), 3000);
    }
    async play(video) {
      if (!window.Hls) {
        await new Promise((done) => {
          const s = document.createElement("script");
          s.src = this.dataset.hls;
          s.onload = s.onerror = done;
          document.head.append(s);
        });
      }
      this.hls?.destroy();
      this.hls = null;
      if (window.Hls?.isSupported()) {
        const hls = new window.Hls({ workerPath: this.dataset.worker, lowLatencyMode: true, liveSyncDurationCount: 2 });
        this.hls = hls;
        hls.on(window.Hls.Events.ERROR, (_, e) => {
          if (e.fatal) this.again(video);
        });
        hls.loadSource(this.dataset.src);
        hls.attachMedia(video);
      } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
        video.src = this.dataset.src;
        video.onerror = () => this.again(video);
      }
      video.play().catch(() => {}); // a browser that wants a tap first shows its controls
    }
  }
  customElements.define("h-player", Player);

  const say = (text, bad) => {
    const p = document.createElement("p");
    p.className = bad ? "notice bad" : "notice good";
    p.textContent = text;
    document.getElementById("notice")?.replaceChildren(p);
  };

  document.addEventListener("click", async (e) => {
    const copy = e.target.closest("[data-copy]");
    if (copy) {
      e.preventDefault();
      const from = copy.dataset.copyFrom && document.getElementById(copy.dataset.copyFrom);
      const text = from ? from.value || from.textContent : copy.dataset.copy;
      try {
        await navigator.clipboard.writeText(text);
        say("Copied.");
      } catch {
        say("The browser does not let us copy; select the text instead.", true);
      }
      return;
    }
    const add = e.target.closest("[data-add]");
    if (add) {
      const t = document.getElementById(add.dataset.add);
      const list = document.getElementById(add.dataset.to);
      if (t && list) {
        list.append(t.content.cloneNode(true));
        list.lastElementChild.querySelector("input,select")?.focus();
      }
      return;
    }
    const drop = e.target.closest("[data-drop]");
    if (drop) drop.closest(drop.dataset.drop)?.remove();
  });

  // Forms that cannot be undone ask first; a form is not sent twice.
  document.addEventListener(
    "submit",
    (e) => {
      const q = e.submitter?.dataset.ask || e.target.dataset.ask;
      if (q && !window.confirm(q)) {
        e.preventDefault();
        e.stopImmediatePropagation();
      }
    },
    true,
  );

  // A notice of something done leaves by itself; trouble stays.
  const notice = document.getElementById("notice");
  if (notice) {
    let gone = 0;
    new MutationObserver(() => {
      clearTimeout(gone);
      const good = notice.querySelector(".good");
      if (good) gone = setTimeout(() => good.remove(), 6000);
    }).observe(notice, { childList: true });
  }

  // The first start asks for the time zone; the browser knows it.
  const zone = document.querySelector("[data-timezone]");
  if (zone && zone.value === zone.defaultValue && !zone.hasAttribute("aria-invalid")) {
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
  }

  // Lists that grow by streaming: no line twice, and only the last data-keep lines.
  const trim = (list) => {
    const seen = new Set();
    for (const li of [...list.children].reverse()) {
      if (li.id && seen.has(li.id)) li.remove();
      seen.add(li.id);
    }
    const most = Number(list.dataset.keep);
    while (list.children.length > most) {
      (list.dataset.newest === "first" ? list.lastElementChild : list.firstElementChild).remove();
    }
  };
  const lists = () => document.querySelectorAll("[data-keep]");
  const stuck = new Map(); // lists that were read at their end follow it
  document.addEventListener("htmx:sse:before:message", () => {
    for (const l of lists()) stuck.set(l, l.scrollHeight - l.scrollTop - l.clientHeight < 40);
  });
  document.addEventListener("htmx:sse:after:message", () => {
    for (const l of lists()) {
      trim(l);
      if (l.dataset.newest !== "first" && stuck.get(l)) l.scrollTop = l.scrollHeight;
    }
  });
  for (const l of lists()) if (l.dataset.newest !== "first") l.scrollTop = l.scrollHeight;

  // The stream of the page: say when it is lost, and try again where htmx does not (when the first try failed).
  const main = document.querySelector("main[hx-sse\\:connect]");
  if (main) {
    const lost = document.querySelector("[data-lost]");
    let since = 0;
    const up = () => {
      since = 0;
      document.documentElement.dataset.stream = "live";
      if (lost) lost.hidden = true;
    };
    const down = () => {
      if (!since) since = Date.now();
    };
    main.addEventListener("htmx:sse:after:connection", up);
    main.addEventListener("htmx:sse:error", down);
    main.addEventListener("htmx:sse:close", down);
    main.addEventListener("htmx:response:error", down);
    main.addEventListener("htmx:error", down);
    setInterval(() => {
      if (document.hidden || !since) return;
      if (Date.now() - since > 3000) {
        document.documentElement.dataset.stream = "lost";
        if (lost) lost.hidden = false;
      }
      if (!main._htmx?.sse) window.htmx?.trigger(main, "again");
    }, 3000);
  }
})();
