// What the pages of rules do in a browser besides htmx: a click on a fact puts it where somebody typed last, and rules are
// dragged into another order. Both have another way without script: facts can be typed, and buttons move rules.
(() => {
  "use strict";

  // A form that comes back with faults begins at the first of them.
  const wrong = document.querySelector(".rule-form [aria-invalid=true], .rule-form .wrong");
  if (wrong) {
    wrong.closest("details")?.setAttribute("open", "");
    wrong.focus({ preventScroll: true });
    wrong.scrollIntoView({ block: "center" });
  }

  // The field that was typed in last, by its id: htmx may put another element in its place.
  let last = "";
  document.addEventListener("focusin", (e) => {
    if (e.target.matches("textarea[data-facts]")) last = e.target.id;
  });
  document.addEventListener("click", (e) => {
    const fact = e.target.closest(".fact");
    if (!fact) return;
    const { factText, factExpr } = fact.dataset;
    const field = document.getElementById(last) || [...document.querySelectorAll("textarea[data-facts]")].find((f) => f.dataset.facts === (factText ? "text" : "expr"));
    const text = field && (field.dataset.facts === "text" ? factText : factExpr);
    if (!text) return; // a text cannot say it
    field.closest("details")?.setAttribute("open", "");
    field.focus();
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Dragging. The whole rule is carried; it begins at its grip, so that its text can still be marked.
  let carried = null;
  const place = (e) => {
    const over = e.target.closest?.("[data-rule]");
    if (!carried || !over || over === carried || over.parentElement !== carried.parentElement) return null;
    const box = over.getBoundingClientRect();
    return { over, after: e.clientY > box.top + box.height / 2 };
  };
  const clear = () => {
    for (const x of document.querySelectorAll(".over-top, .over-end")) x.classList.remove("over-top", "over-end");
  };
  document.addEventListener("pointerdown", (e) => {
    const grip = e.target.closest(".grip");
    if (grip?.closest("[data-sort]")) grip.closest("[data-rule]").draggable = true;
  });
  document.addEventListener("pointerup", () => {
    if (!carried) for (const x of document.querySelectorAll("[data-rule][draggable]")) x.removeAttribute("draggable");
  });
  document.addEventListener("dragstart", (e) => {
    carried = e.target.closest?.("[data-rule][draggable]") || null;
    if (!carried) return;
    e.dataTransfer.effectAllowed = "move";
    e.dataTransfer.setData("text/plain", carried.dataset.rule);
    carried.classList.add("lifted");
  });
  document.addEventListener("dragover", (e) => {
    const to = place(e);
    clear();
    if (!to) return;
    e.preventDefault();
    to.over.classList.add(to.after ? "over-end" : "over-top");
  });
  document.addEventListener("drop", (e) => {
    const to = place(e);
    clear();
    if (!to) return;
    e.preventDefault();
    const list = carried.parentElement;
    to.over[to.after ? "after" : "before"](carried);
    const form = document.getElementById(list.dataset.sort);
    form.replaceChildren(
      ...[...list.querySelectorAll(":scope > [data-rule]")].map((x) => Object.assign(document.createElement("input"), { type: "hidden", name: "rule", value: x.dataset.rule })),
    );
    form.requestSubmit();
  });
  document.addEventListener("dragend", () => {
    carried?.classList.remove("lifted");
    carried?.removeAttribute("draggable");
    carried = null;
    clear();
  });
})();
