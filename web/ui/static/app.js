// What the pages of hawker do in a browser besides htmx: clocks that run down, the video player, copying, and telling
// when the stream of a page is lost. Everything is an element of its own or one listener for all.
(() => {
  "use strict";

  // One clock for all countdowns: they turn together, once a second.
  const clocks = new Set();
  const days = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "unit", unit: "day", unitDisplay: "long" });
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
      const text = h >= 48 ? days.format(Math.floor(h / 24)) : h ? `${h}:${two(m)}:${two(left % 60)}` : `${m}:${two(left % 60)}`;
      if (this.textContent !== text) this.textContent = text;
      for (const [state, on] of [["soon", left <= 120 && left > 0], ["over", left === 0]]) {
        this.states[on ? "add" : "delete"](state);
      }
    }
  }
  customElements.define("h-countdown", Countdown);

  // The player loads hls.js only where a page has video. data-src: the playlist; data-plain: one for players of the browser's own;
  // data-hls and data-worker: where hls.js is. Its state is in data-state, for the style sheet and for what stands inside it:
  // wait, playing, off (no video comes), full (no room for more viewers), cannot (not in this browser).
  const never = { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 10000, timeoutRetry: null, errorRetry: null };
  const some = { maxNumRetry: 3, retryDelayMs: 300, maxRetryDelayMs: 2000 };
  let library = null;
  class Player extends HTMLElement {
    connectedCallback() {
      if (!this.video) {
        const video = document.createElement("video");
        video.playsInline = true;
        video.muted = true;
        video.autoplay = true;
        video.controls = true;
        video.setAttribute("aria-label", this.dataset.label || "Live video");
        video.addEventListener("playing", () => this.show("playing"));
        video.addEventListener("ended", () => this.again("off", 2000));
        video.addEventListener("volumechange", () => this.toggleAttribute("data-sound", !video.muted));
        video.addEventListener("play", () => this.edge(8));
        video.addEventListener("resize", () => this.toggleAttribute("data-tall", video.videoHeight > video.videoWidth));
        this.addEventListener("click", (e) => {
          const press = e.target.closest("[data-press]")?.dataset.press;
          if (press === "sound") {
            video.muted = false;
            video.play().catch(() => {});
          }
          if (press === "live") this.edge(0);
        });
        this.prepend(video);
        this.video = video;
        this.viewer = Math.random().toString(36).slice(2, 12);
      }
      this.seen = () => this.look();
      document.addEventListener("visibilitychange", this.seen);
      document.addEventListener("htmx:sse:after:message", this.seen);
      this.beat = setInterval(() => this.toggleAttribute("data-behind", this.behind() > 5), 1000);
      this.play();
    }
    disconnectedCallback() {
      this.stop();
      clearInterval(this.beat);
      document.removeEventListener("visibilitychange", this.seen);
      document.removeEventListener("htmx:sse:after:message", this.seen);
    }
    show(state) {
      this.dataset.state = state;
    }
    stop() {
      this.turn = (this.turn || 0) + 1;
      clearTimeout(this.retry);
      clearTimeout(this.rest);
      clearTimeout(this.over);
      this.retry = this.rest = this.over = 0;
      this.hls?.destroy();
      this.hls = null;
    }
    again(state, after) {
      this.stop();
      this.show(state);
      this.retry = setTimeout(() => this.isConnected && this.play(), after * (1 + Math.random() / 2));
    }
    // What the page was told of the video: off, live, paused; nothing on pages that tell nothing.
    told() {
      return this.querySelector("[data-video]")?.dataset.video;
    }
    // What the page was told since: video has begun. A tab that nobody sees or hears is not sent any.
    look() {
      const told = this.told();
      const off = this.dataset.state === "off";
      if (off && told && told !== "off" && !this.retry) this.play();
      // The end is played out; a player that misses it does not stand there for ever.
      if (told === "off" && !off && this.dataset.state !== "full") this.over ||= setTimeout(() => this.again("off", 2000), 6000);
      else if (told !== "off") {
        clearTimeout(this.over);
        this.over = 0;
      }
      clearTimeout(this.rest);
      this.rest = 0;
      if (document.hidden && this.hls && this.video.muted) {
        this.rest = setTimeout(() => {
          this.stop();
          this.resting = true;
        }, 20000);
      } else if (!document.hidden && this.resting) this.play();
    }
    // How many seconds more than it must be the picture is behind.
    behind() {
      const h = this.hls;
      return h && this.dataset.state === "playing" && h.liveSyncPosition ? h.liveSyncPosition - this.video.currentTime : 0;
    }
    edge(allowed) {
      if (this.behind() > allowed) this.video.currentTime = this.hls.liveSyncPosition;
      this.video.play().catch(() => {}); // a browser that wants a tap first shows its controls
    }
    refused(status, text) {
      if (status === 503 && text?.includes('"full"')) this.again("full", 15000);
      else this.again(status === 404 || status === 0 ? "off" : "wait", 3000);
    }
    failed(e) {
      const H = window.Hls;
      if (e.details === H.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR || e.details === H.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR) {
        this.again("cannot", 30000);
      } else if (e.type === H.ErrorTypes.MEDIA_ERROR && !(Date.now() - this.mended < 5000)) {
        this.mended = Date.now();
        this.hls.recoverMediaError();
      } else {
        const x = e.networkDetails;
        let text = "";
        try {
          text = x?.responseText ?? "";
        } catch {} // of another kind
        this.refused(e.response?.code ?? 0, text);
      }
    }
    async play() {
      this.stop();
      this.resting = false;
      if (this.told() === "off") return this.show("off"); // the page's stream says when it comes
      if (!this.dataset.state) this.show("wait");
      const turn = this.turn;
      const video = this.video;
      library ??= new Promise((done) => {
        const s = document.createElement("script");
        s.src = this.dataset.hls;
        s.onload = s.onerror = done;
        document.head.append(s);
      });
      await library;
      if (turn !== this.turn) return;
      const named = (src) => `${src}${src.includes("?") ? "&" : "?"}v=${this.viewer}`;
      if (window.Hls?.isSupported()) {
        const hls = new window.Hls({
          workerPath: this.dataset.worker,
          lowLatencyMode: true,
          ...(this.dataset.plain ? {} : { liveSyncDurationCount: 2 }), // low latency says itself how near it may be
          maxLiveSyncPlaybackRate: 1.2,
          backBufferLength: 20,
          manifestLoadPolicy: { default: never },
          playlistLoadPolicy: { default: { ...never, timeoutRetry: some, errorRetry: some } },
        });
        this.hls = hls;
        hls.on(window.Hls.Events.ERROR, (_, e) => e.fatal && hls === this.hls && this.failed(e));
        hls.loadSource(named(this.dataset.src));
        hls.attachMedia(video);
      } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
        const src = named(this.dataset.plain || this.dataset.src);
        const r = await fetch(src).catch(() => null); // the browser's own player tells no reason
        if (turn !== this.turn) return;
        if (!r?.ok) return this.refused(r?.status ?? 0, await r?.text());
        video.src = src;
        video.onerror = () => this.again("wait", 3000);
      } else return this.show("cannot");
      video.play().catch(() => {});
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
    const seek = e.target.closest("[data-seek]");
    const video = seek && document.querySelector("main video");
    if (video) {
      e.preventDefault();
      video.currentTime = Number(seek.dataset.seek);
      video.play().catch(() => {}); // its controls are there
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
    const leave = () => {
      clearTimeout(gone);
      const good = notice.querySelector(".good");
      if (good) gone = setTimeout(() => good.remove(), 6000);
    };
    new MutationObserver(leave).observe(notice, { childList: true });
    leave(); // one that came with the page
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
